"""The tables of lending.

The product that an offer is of belongs to another addon: only the migration names its table.
"""

from typing import Any

import peewee

from bodega_sdk import Companion, Entity, UTCDateTimeField, extends


class Offer(Entity):
    """A product that is lent out, and for how long."""

    product: Any = peewee.UUIDField(unique=True)
    days: Any = peewee.IntegerField(default=14)
    is_open: Any = peewee.BooleanField(default=True)

    class Meta:
        """Peewee's options."""

        table_name = "lending_offer"


class Loan(Entity):
    """Somebody has a product, or had it until it came back."""

    offer: Any = peewee.ForeignKeyField(Offer, on_delete="CASCADE", backref="loans")
    ticket: Any = peewee.CharField(max_length=20, unique=True)
    borrower: Any = peewee.CharField(max_length=120)
    due_at: Any = UTCDateTimeField(index=True)
    returned_at: Any = UTCDateTimeField(null=True)
    reminded_at: Any = UTCDateTimeField(null=True)

    class Meta:
        """Peewee's options."""

        table_name = "lending_loan"
        indexes = ((("borrower", "returned_at"), False),)


class ProductWear(Companion):
    """How worn a product is, in per cent."""

    id: Any = extends("products.product")
    worn: Any = peewee.IntegerField(default=0, index=True)

    class Meta:
        """Peewee's options."""

        table_name = "lending_product"
