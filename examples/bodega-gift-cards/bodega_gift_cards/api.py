"""What other addons may call; the rest of the package may change without notice.

Call what writes in a transaction: a redemption then belongs to the order that it pays.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bodega_sdk import Money
from bodega_sdk.errors import NotFound

from bodega_gift_cards import issuing, spending
from bodega_gift_cards.models import Card

__all__ = ["GiftCard", "issue", "look_up", "redeem", "refund"]


@dataclass(frozen=True, slots=True)
class GiftCard:
    """A gift card.

    Args:
        last_four: how its code ends.
        code: all of it, from :func:`issue` alone.
    """

    id: UUID
    last_four: str
    balance: Money
    expires_at: datetime
    code: str | None = None


def issue(
    amount: Money,
    *,
    expires_at: datetime | None = None,
    product_id: UUID | None = None,
    note: str = "",
) -> GiftCard:
    """Issue a card; give its code to whom it belongs, for it cannot be read again.

    Raises:
        InvalidInput: nothing is on it, it has expired already, or the product is no gift card.
    """
    made = issuing.issue(amount, expires_at=expires_at, product_id=product_id, note=note)
    return _facts(made, made.code)


def look_up(code: str) -> GiftCard | None:
    """Return the card with a code, or None when nothing can be paid with it."""
    card = spending.with_code(code)
    return None if card is None else _facts(card)


def redeem(code: str, amount: Money, reference: str) -> GiftCard:
    """Pay with the card that has a code.

    Raises:
        NotFound: no card that can be used has it.
        InvalidInput: the amount is of another currency, or nothing.
        Conflict: too little is on it.
    """
    found = spending.with_code(code)
    if found is None:
        raise NotFound("There is no gift card with this code that anything is left on.")
    card = spending.hold(found.id)
    spending.redeem(card, amount, reference)
    return _facts(card)


def refund(card_id: UUID, amount: Money, reference: str) -> GiftCard:
    """Put back on a card what was paid with it.

    Raises:
        NotFound: there is no such card.
        InvalidInput: the amount is of another currency, or nothing.
        Conflict: it is void or has expired, or less was paid with it.
    """
    card = spending.hold(card_id)
    spending.refund(card, amount, reference)
    return _facts(card)


def _facts(card: Card, code: str | None = None) -> GiftCard:
    return GiftCard(card.id, card.last_four, card.balance, card.expires_at, code)
