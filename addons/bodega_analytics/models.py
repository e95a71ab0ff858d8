"""The tables of analytics: sums over time, and what each order has added to them.

A sum is of one *slot* (a quarter of an hour, counted from 1970) or of one whole UTC day, as
``span`` says: 1 or 96 slots, of which ``at`` is the first. Each row is part of one
*generation*; readers see the one that :class:`State` says is served, and ``bodega analytics
rebuild`` makes another beside it.
"""

from typing import Any, ClassVar

import peewee

from bodega_sdk import Model, UTCDateTimeField, uuid7

#: Spans of a sum, in slots.
SLOT, DAY = 1, 96


class State(Model):
    """The one row that whoever writes sums holds, so that they do so one after the other."""

    id: Any = peewee.IntegerField(primary_key=True)
    # The generation that readers see.
    serving: Any = peewee.IntegerField(default=0)
    # The one that is being made beside it; null when none is.
    building: Any = peewee.IntegerField(null=True)
    # The newest number that was ever given.
    newest: Any = peewee.IntegerField(default=0)
    # Raised with each change of the sums that are served; and how far the channel has told.
    revision: Any = peewee.BigIntegerField(default=0)
    told: Any = peewee.BigIntegerField(default=0)
    # The addons that the served sums were made of, e.g. "orders payments".
    sources: Any = peewee.CharField(max_length=200, default="")
    rebuilt_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "analytics_state"


class Counted(Model):
    """What an order has added to the sums of a generation, as JSON: see ``parts``."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    generation: Any = peewee.IntegerField()
    order: Any = peewee.UUIDField()
    parts: Any = peewee.TextField()

    class Meta:
        table_name = "analytics_counted"
        indexes = ((("generation", "order"), True),)


class Sum(Model):
    """Base of the sums. Amounts are minor units of ``currency``; all can fall below zero."""

    #: What adds up.
    measures: ClassVar[tuple[str, ...]]
    #: What one row is of, besides generation, span, slot and currency.
    about: ClassVar[str] = ""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    generation: Any = peewee.IntegerField()
    span: Any = peewee.SmallIntegerField()
    at: Any = peewee.IntegerField()
    currency: Any = peewee.CharField(max_length=3)


def _number() -> Any:
    return peewee.BigIntegerField(default=0)


class Sales(Sum):
    """What was sold."""

    measures = (
        "orders", "units", "goods", "discounts", "shipping", "taxes", "gross", "cancelled_orders",
        "cancelled", "refunds", "paid_orders", "paid", "returned_units", "returns",
    )  # fmt: skip
    orders: Any = _number()
    units: Any = _number()
    goods: Any = _number()
    discounts: Any = _number()
    shipping: Any = _number()
    taxes: Any = _number()
    gross: Any = _number()
    cancelled_orders: Any = _number()
    cancelled: Any = _number()
    refunds: Any = _number()
    paid_orders: Any = _number()
    paid: Any = _number()
    returned_units: Any = _number()
    returns: Any = _number()

    class Meta:
        table_name = "analytics_sales"
        indexes = ((("generation", "span", "at", "currency"), True),)


class ProductSales(Sum):
    """What was sold of a product."""

    measures = (
        "orders", "units", "goods", "discounts", "gross", "cancelled_units", "cancelled",
        "paid_orders", "returned_units", "returns",
    )  # fmt: skip
    about = "product"
    product: Any = peewee.UUIDField()
    orders: Any = _number()
    units: Any = _number()
    goods: Any = _number()
    discounts: Any = _number()
    gross: Any = _number()
    cancelled_units: Any = _number()
    cancelled: Any = _number()
    paid_orders: Any = _number()
    returned_units: Any = _number()
    returns: Any = _number()

    class Meta:
        table_name = "analytics_product_sales"
        indexes = ((("generation", "span", "at", "currency", "product"), True),)


class BuyerSales(Sum):
    """What somebody bought; ``buyer`` is a keyed digest that leads back to nobody."""

    measures = ("orders",)
    about = "buyer"
    buyer: Any = peewee.UUIDField()
    orders: Any = _number()

    class Meta:
        table_name = "analytics_buyer_sales"
        indexes = (
            (("generation", "span", "at", "currency", "buyer"), True),
            (("generation", "buyer", "span", "at"), False),
        )


class Takings(Sum):
    """What went through a provider of payments."""

    measures = ("captures", "captured", "given_back", "refunded", "disputes", "disputed")
    about = "provider"
    provider: Any = peewee.CharField(max_length=40)
    captures: Any = _number()
    captured: Any = _number()
    given_back: Any = _number()
    refunded: Any = _number()
    disputes: Any = _number()
    disputed: Any = _number()

    class Meta:
        table_name = "analytics_takings"
        indexes = ((("generation", "span", "at", "currency", "provider"), True),)


class Interest(Model):
    """How often a product was looked at and put into a cart.

    Nothing lasting tells of these, so that they belong to no generation and are not rebuilt.
    """

    measures: ClassVar = ("views", "carted")
    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    span: Any = peewee.SmallIntegerField()
    at: Any = peewee.IntegerField()
    product: Any = peewee.UUIDField()
    views: Any = _number()
    carted: Any = _number()

    class Meta:
        table_name = "analytics_interest"
        indexes = ((("span", "at", "product"), True),)


#: The sums that a rebuild makes, by the names that ``Counted.parts`` calls them.
SUMS: dict[str, type[Sum]] = {
    "sales": Sales, "products": ProductSales, "buyers": BuyerSales, "takings": Takings,
}  # fmt: skip
MODELS: tuple[type[Model], ...] = (State, Counted, *SUMS.values(), Interest)
