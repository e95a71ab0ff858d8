"""The tables of orders; those of carts, taxes and shipping are in modules of their own."""

from typing import Any

import peewee

from bodega_orders import statuses
from bodega_sdk import Entity, Model, Money, UTCDateTimeField, uuid7

#: What became of the stock of an order.
RESERVED, SOLD, RELEASED, RESTOCKED = "reserved", "sold", "released", "restocked"
#: How a return stands.
REQUESTED, APPROVED, REJECTED, RECEIVED = "requested", "approved", "rejected", "received"
RETURN_STATUSES = (REQUESTED, APPROVED, REJECTED, RECEIVED)


class Order(Entity):
    """A purchase. Amounts are minor units of its currency; ``created_at`` is when it was placed.

    It outlives the account and the products: what it was placed with stands in it and in its
    lines. ``discounts`` and ``entries`` explain the total and never change.
    """

    number: Any = peewee.CharField(max_length=20, unique=True)
    account: Any = peewee.UUIDField(null=True)
    email: Any = peewee.CharField(max_length=254)
    status: Any = peewee.CharField(max_length=12, default=statuses.PENDING)
    payment_status: Any = peewee.CharField(max_length=20, default="unpaid")
    currency: Any = peewee.CharField(max_length=3)
    subtotal: Any = peewee.BigIntegerField()
    discount: Any = peewee.BigIntegerField()
    shipping: Any = peewee.BigIntegerField()
    tax: Any = peewee.BigIntegerField()
    total: Any = peewee.BigIntegerField()
    authorized: Any = peewee.BigIntegerField(default=0)
    captured: Any = peewee.BigIntegerField(default=0)
    refunded: Any = peewee.BigIntegerField(default=0)
    prices_include_tax: Any = peewee.BooleanField(default=False)
    codes: Any = peewee.JSONField(default=list)
    discounts: Any = peewee.JSONField(default=list)
    entries: Any = peewee.JSONField(default=list)
    shipping_method: Any = peewee.CharField(max_length=50, default="")
    shipping_address: Any = peewee.JSONField(default=dict)
    billing_address: Any = peewee.JSONField(default=dict)
    note: Any = peewee.CharField(max_length=2000, default="")
    # For the shop's own people only.
    staff_note: Any = peewee.CharField(max_length=2000, default="")
    tracking_number: Any = peewee.CharField(max_length=100, default="")
    carrier: Any = peewee.CharField(max_length=100, default="")
    tracking_url: Any = peewee.CharField(max_length=2000, default="")
    # The cart it was made of: each makes one order.
    cart: Any = peewee.UUIDField(null=True, unique=True)
    # What became of its stock.
    stock: Any = peewee.CharField(max_length=10, default=RESERVED)
    cancel_reason: Any = peewee.CharField(max_length=500, default="")
    expires_at: Any = UTCDateTimeField(null=True)
    confirmed_at: Any = UTCDateTimeField(null=True)
    paid_at: Any = UTCDateTimeField(null=True)
    processing_at: Any = UTCDateTimeField(null=True)
    shipped_at: Any = UTCDateTimeField(null=True)
    delivered_at: Any = UTCDateTimeField(null=True)
    cancelled_at: Any = UTCDateTimeField(null=True)
    refunded_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "orders_order"
        indexes = (
            (("account", "created_at"), False),
            (("status", "created_at"), False),
            (("status", "expires_at"), False),
            (("email", "created_at"), False),
            (("payment_status", "created_at"), False),
        )

    def money(self, minor: int) -> Money:
        """Return an amount in the order's currency."""
        return Money(minor, self.currency)

    @property
    def reference(self) -> str:
        """What inventory knows its reservation by."""
        return f"order:{self.id}"


class Line(Entity):
    """So many of one thing, as it was when it was ordered. Amounts are minor units."""

    order: Any = peewee.ForeignKeyField(Order, on_delete="CASCADE", backref="+")
    place: Any = peewee.IntegerField()
    item: Any = peewee.UUIDField()
    product: Any = peewee.UUIDField()
    variant: Any = peewee.UUIDField(null=True)
    sku: Any = peewee.CharField(max_length=100, default="")
    name: Any = peewee.CharField(max_length=500)
    options: Any = peewee.JSONField(default=dict)
    quantity: Any = peewee.IntegerField()
    unit_price: Any = peewee.BigIntegerField()
    discount: Any = peewee.BigIntegerField(default=0)
    tax: Any = peewee.BigIntegerField(default=0)
    total: Any = peewee.BigIntegerField()
    organization: Any = peewee.UUIDField(null=True)
    digital: Any = peewee.BooleanField(default=False)
    # Pieces that came back, and those that somebody has asked to send back.
    returned: Any = peewee.IntegerField(default=0)
    returning: Any = peewee.IntegerField(default=0)

    class Meta:
        table_name = "orders_line"
        indexes = ((("organization", "created_at"), False), (("product", "order"), False))
        constraints = (
            peewee.Check("quantity > 0"),
            peewee.Check('returned >= 0 AND "returning" >= 0'),
            peewee.Check('returned + "returning" <= quantity'),
        )


class History(Entity):
    """What happened to an order: each status that it had, and what people noted."""

    order: Any = peewee.ForeignKeyField(Order, on_delete="CASCADE", backref="+", index=False)
    # Empty for a note that changed nothing.
    status: Any = peewee.CharField(max_length=12, default="")
    note: Any = peewee.CharField(max_length=2000, default="")
    # customer, staff or system; and the account, if there is one.
    role: Any = peewee.CharField(max_length=10)
    account: Any = peewee.CharField(max_length=36, default="")
    # Whether the customer may read it.
    visible: Any = peewee.BooleanField(default=True)

    class Meta:
        table_name = "orders_history"
        indexes = ((("order", "id"), False),)


class Return(Entity):
    """Things of an order that its customer wants to send back, or has."""

    order: Any = peewee.ForeignKeyField(Order, on_delete="CASCADE", backref="+")
    status: Any = peewee.CharField(max_length=10, default=REQUESTED)
    reason: Any = peewee.CharField(max_length=1000)
    # What the shop says to it; the customer reads it.
    answer: Any = peewee.CharField(max_length=1000, default="")
    # What what came back was paid with, in minor units of the order's currency.
    amount: Any = peewee.BigIntegerField(default=0)
    decided_at: Any = UTCDateTimeField(null=True)
    received_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "orders_return"
        indexes = ((("status", "created_at"), False),)


class ReturnLine(Model):
    """Pieces of one line in a return."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    returned_in: Any = peewee.ForeignKeyField(Return, on_delete="CASCADE", backref="+")
    line: Any = peewee.ForeignKeyField(Line, on_delete="CASCADE", backref="+")
    quantity: Any = peewee.IntegerField()
    received: Any = peewee.IntegerField(default=0)
    restocked: Any = peewee.BooleanField(default=False)

    class Meta:
        table_name = "orders_return_line"
        indexes = ((("returned_in", "line"), True),)
        constraints = (
            peewee.Check("quantity > 0"),
            peewee.Check("received >= 0 AND received <= quantity"),
        )


MODELS: tuple[type[Model], ...] = (Order, Line, History, Return, ReturnLine)
