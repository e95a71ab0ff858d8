"""The tables of inventory."""

from typing import Any, NoReturn

import peewee

from bodega_sdk import Entity, Model, UTCDateTimeField

#: What moves stock; the first four move what is on the shelf, the others what is promised.
PHYSICAL = ("receipt", "sale", "return", "adjustment")
KINDS = (*PHYSICAL, "reservation", "release")
#: How a reservation stands.
OPEN, SOLD, RELEASED, EXPIRED = "open", "sold", "released", "expired"
STATUSES = (OPEN, SOLD, RELEASED, EXPIRED)


class Level(Entity):
    """How much there is of an item: a variant, or a product that comes in one form.

    It has the id of what it is the stock of. Whoever writes it holds the row of its product
    in :class:`bodega_inventory.companions.ProductStock`.
    """

    product: Any = peewee.UUIDField(index=True)
    variant: Any = peewee.UUIDField(null=True)
    # Of the product, so that lists can be narrowed by it.
    organization: Any = peewee.UUIDField(null=True, index=True)
    on_hand: Any = peewee.BigIntegerField(default=0)
    reserved: Any = peewee.BigIntegerField(default=0)
    # On hand and not reserved: the sum of the item's movements.
    available: Any = peewee.BigIntegerField(default=0, index=True)
    # Null for the shop's own.
    low_stock_threshold: Any = peewee.IntegerField(null=True)
    backorder: Any = peewee.BooleanField(default=False)
    # How far below zero; null for no limit.
    backorder_limit: Any = peewee.IntegerField(null=True)
    # What is not tracked can always be had, and selling it moves nothing.
    tracked: Any = peewee.BooleanField(default=True)
    in_stock: Any = peewee.BooleanField(default=False)
    low_stock: Any = peewee.BooleanField(default=False, index=True)
    # Of a product or a variant that was deleted; it is not shown, and counts for nothing.
    retired: Any = peewee.BooleanField(default=False)

    class Meta:
        table_name = "inventory_level"
        constraints = (
            peewee.Check("reserved >= 0"),
            peewee.Check("available = on_hand - reserved"),
            peewee.Check(
                "available >= 0 OR (backorder AND "
                "(backorder_limit IS NULL OR available >= -backorder_limit))"
            ),
        )


class Movement(Entity):
    """A line of the ledger: written once, never changed, never deleted."""

    # Not of an entity that changes.
    updated_at: Any = None
    item: Any = peewee.UUIDField()
    product: Any = peewee.UUIDField(index=True)
    variant: Any = peewee.UUIDField(null=True)
    organization: Any = peewee.UUIDField(null=True, index=True)
    kind: Any = peewee.CharField(max_length=20)
    # What it changes of what is available.
    quantity: Any = peewee.BigIntegerField()
    # What was available behind it.
    available: Any = peewee.BigIntegerField()
    reason: Any = peewee.CharField(max_length=500, default="")
    reference: Any = peewee.CharField(max_length=200, default="", index=True)
    # The same key moves the same item once.
    key: Any = peewee.CharField(max_length=200, null=True)
    actor: Any = peewee.CharField(max_length=100, default="")

    class Meta:
        table_name = "inventory_movement"
        indexes = ((("item", "id"), False), (("key", "item"), True))
        constraints = (peewee.Check("quantity <> 0"),)

    @classmethod
    def update(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: what happened stays written.

        Raises:
            TypeError: always.
        """
        raise TypeError("the ledger is only ever added to: write a movement that corrects it")

    @classmethod
    def delete(cls) -> NoReturn:
        """Refuse, as :meth:`update` does.

        Raises:
            TypeError: always.
        """
        cls.update()


class Reservation(Entity):
    """Pieces of one item that are promised to somebody, known by the maker's reference."""

    reference: Any = peewee.CharField(max_length=200)
    item: Any = peewee.UUIDField(index=True)
    product: Any = peewee.UUIDField(index=True)
    variant: Any = peewee.UUIDField(null=True)
    organization: Any = peewee.UUIDField(null=True, index=True)
    quantity: Any = peewee.BigIntegerField()
    status: Any = peewee.CharField(max_length=10, default=OPEN)
    # False for an item that was not tracked: then the ledger knows nothing of it.
    counted: Any = peewee.BooleanField(default=True)
    actor: Any = peewee.CharField(max_length=100, default="")
    expires_at: Any = UTCDateTimeField()
    closed_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "inventory_reservation"
        indexes = ((("reference", "item"), True), (("status", "expires_at"), False))
        constraints = (peewee.Check("quantity > 0"),)


MODELS: tuple[type[Model], ...] = (Level, Movement, Reservation)
