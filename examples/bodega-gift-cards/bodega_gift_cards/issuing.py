"""Issuing cards. Call these in a transaction."""

from calendar import monthrange
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from bodega_products.api import facts_of
from bodega_sdk import Money, now, setting
from bodega_sdk.errors import invalid

from bodega_gift_cards.codes import grouped, hash_of, new_code
from bodega_gift_cards.extensions import Gift
from bodega_gift_cards.ledger import move
from bodega_gift_cards.models import Card

_LONGEST = timedelta(days=36_525)


def issue(
    amount: Money,
    *,
    expires_at: datetime | None = None,
    product_id: UUID | None = None,
    note: str = "",
) -> Card:
    """Issue a card; its ``code`` is readable on what this returns, and never again.

    Raises:
        InvalidInput: nothing is on it, it has expired already, or the product is no gift card.
    """
    if amount.minor <= 0:
        raise invalid("amount", "Must be more than 0.", str(amount))
    if product_id is not None and amount.currency != (sold := gift(product_id).currency):
        raise invalid("currency", f"The product is sold in {sold}.", amount.currency)
    code = new_code(amount)
    card: Card = Card.create(
        code_hash=hash_of(code),
        last_four=code[-4:],
        amount_minor=amount.minor,
        balance_minor=0,
        currency=amount.currency,
        expires_at=_checked(expires_at) or months_later(now(), setting("gift_cards.valid_months")),
        product_id=product_id,
        note=note,
    )
    move(card, "issue", amount.minor)
    card.code = grouped(code)
    return card


def issue_from(data: dict[str, Any]) -> Card:
    """Issue a card from loaded data; amount and currency are the product's when not stated."""
    product_id = data.get("product_id")
    worth = gift(product_id) if product_id is not None else None
    amount = data.get("amount", worth and worth.amount)
    if amount is None:
        raise invalid("amount", "Say how much is on it, or of which product it is.")
    currency = worth.currency if worth else setting("products.currency")
    return issue(
        money("amount", amount, data.get("currency", currency)),
        expires_at=data.get("expires_at"),
        product_id=product_id,
        note=data.get("note", ""),
    )


class Worth(NamedTuple):
    """What is on the cards that are sold as a product; its price when it does not say."""

    amount: str
    currency: str


def gift(product_id: UUID) -> Worth:
    """Return what is on the cards of a product.

    Raises:
        InvalidInput: there is no such product, or it is no gift card.
    """
    product, said = facts_of([product_id]).get(product_id), Gift.read(product_id)
    if product is None or not said.is_gift_card:
        raise invalid("product_id", "There is no gift card with this id.", str(product_id))
    return Worth(said.amount or str(product.price), product.currency)


def money(field: str, amount: Any, currency: str) -> Money:
    """Read an amount.

    Raises:
        InvalidInput: it does not fit the currency.
    """
    try:
        return Money.parse(amount, currency)
    except ValueError as error:
        raise invalid(field, f"{error}.", str(amount)) from None


def months_later(start: datetime, months: int) -> datetime:
    """Return the same day some months later, or the last of that month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def _checked(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and not now() < expires_at < now() + _LONGEST:
        message = "Must be in the future, and within 100 years."
        raise invalid("expires_at", message, expires_at.isoformat())
    return expires_at
