"""What the addon adds to products, in a table of its own."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import peewee
from bodega_products.api import facts_of
from bodega_sdk import Companion, Money, extends
from bodega_sdk.errors import invalid


class Gift(Companion):
    """Whether a product is a gift card, and how much is on one."""

    id: Any = extends("products.product")
    is_gift_card: Any = peewee.BooleanField(default=False, index=True)
    # A decimal text in the product's currency, which may be changed later.
    amount: Any = peewee.CharField(max_length=24, null=True)

    class Meta:
        table_name = "gift_cards_gift"

    @classmethod
    def loaded(cls, data: Mapping[str, Any], key: UUID | None) -> dict[str, Any]:
        """Return the fields' values; an amount is more than nothing, in the currency's decimals."""
        values = dict(data)
        amount = values.get("amount")
        if amount is not None:
            values["amount"] = _as_text(amount, key)
        return values


def _as_text(amount: Decimal, product: UUID | None) -> str:
    text = format(amount, "f")
    if amount <= 0:
        raise invalid("amount", "Must be more than 0.", text)
    found = facts_of([product]) if product is not None else {}
    for facts in found.values():
        try:
            Money.parse(amount, facts.currency)
        except ValueError as error:
            raise invalid("amount", f"{error}.", text) from None
    if len(text) > 24:
        raise invalid("amount", "Expected at most 24 characters.", text)
    return text
