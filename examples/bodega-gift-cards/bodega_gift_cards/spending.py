"""What becomes of a card after it was issued. Call these in a transaction."""

from typing import NoReturn
from uuid import UUID

from bodega_sdk import Money, now
from bodega_sdk.errors import Conflict, FieldError, NotFound, invalid

from bodega_gift_cards.codes import hash_of
from bodega_gift_cards.ledger import move
from bodega_gift_cards.models import Card


def hold(card_id: UUID) -> Card:
    """Return a card, locked until the commit.

    Raises:
        NotFound: there is none with this id.
    """
    card = Card.find(card_id, lock=True)
    if card is None:
        message = "There is no gift card with this id."
        raise NotFound(message, [FieldError("id", message, str(card_id))])
    return card


def with_code(code: str) -> Card | None:
    """Return the card with a code when something can be paid with it.

    One hash and one query, whether the code is unknown or its card void, expired or spent: an
    answer, and the time it takes, says nothing else of a code that is no good.
    """
    card: Card | None = Card.get_or_none(
        (Card.code_hash == hash_of(code)) & Card.in_state("active")
    )
    return card


def redeem(card: Card, amount: Money, reference: str = "") -> None:
    """Pay with a card that is held.

    Raises:
        InvalidInput: it is of another currency, or nothing.
        Conflict: it is void or has expired, or too little is on it.
    """
    _check_amount(card, amount)
    if card.state in ("void", "expired"):
        _refuse(card)
    if card.balance_minor < amount.minor:
        message = f"Only {card.balance} {card.currency} are left on it."
        raise Conflict(f"'amount': {message}", [FieldError("amount", message, str(amount))])
    move(card, "redeem", -amount.minor, reference)


def refund(card: Card, amount: Money, reference: str = "") -> None:
    """Put back on a card that is held what was paid with it.

    Raises:
        InvalidInput: it is of another currency, or nothing.
        Conflict: it is void or has expired, or less was paid with it.
    """
    _check_amount(card, amount)
    if card.state in ("void", "expired"):
        _refuse(card)
    paid = card.amount - card.balance
    if paid < amount:
        message = f"Only {paid} {card.currency} were paid with it."
        raise Conflict(f"'amount': {message}", [FieldError("amount", message, str(amount))])
    move(card, "refund", amount.minor, reference)


def void(card: Card) -> None:
    """Make a card that is held worthless.

    Raises:
        Conflict: it is void already, or has expired.
    """
    if card.state in ("void", "expired"):
        _refuse(card)
    card.voided_at = now()
    move(card, "void", -card.balance_minor)


def expire(card: Card) -> None:
    """Take what is left from a card that is held and whose time is over."""
    if card.state == "expired" and card.balance_minor:
        move(card, "expire", -card.balance_minor)


def _check_amount(card: Card, amount: Money) -> None:
    if amount.currency != card.currency:
        raise invalid("currency", f"The card is of {card.currency}.", amount.currency)
    if amount.minor <= 0:
        raise invalid("amount", "Must be more than 0.", str(amount))


def _refuse(card: Card) -> NoReturn:
    said = "is void" if card.state == "void" else "has expired"
    raise Conflict(f"The gift card …{card.last_four} {said}.")
