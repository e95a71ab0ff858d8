"""The tables of the shop's rules: what is added for taxes and for sending."""

from typing import Any

import peewee

from bodega_sdk import Entity, Money


class TaxRate(Entity):
    """A tax of a place, on everything or on one category with all below it.

    ``country`` is empty for everywhere, ``region`` for the whole country. ``rate`` is in
    hundredths of a percent. ``place_key`` is what may be there but once: place and category.
    """

    country: Any = peewee.CharField(max_length=2, default="", index=True)
    region: Any = peewee.CharField(max_length=200, default="")
    category: Any = peewee.UUIDField(null=True)
    rate: Any = peewee.IntegerField()
    label: Any = peewee.CharField(max_length=100)
    on_shipping: Any = peewee.BooleanField(default=True)
    place_key: Any = peewee.CharField(max_length=500, unique=True)

    class Meta:
        table_name = "orders_tax_rate"


class ShippingMethod(Entity):
    """A way to send, at a price in one currency; each code once for each currency.

    ``countries`` is empty for everywhere. ``free_from_minor`` is what the goods must cost for
    sending to be free, null when it never is. Weights are in grams, both inclusive.
    """

    code: Any = peewee.CharField(max_length=50)
    label: Any = peewee.CharField(max_length=100)
    countries: Any = peewee.JSONField(default=list)
    currency: Any = peewee.FixedCharField(max_length=3)
    price_minor: Any = peewee.BigIntegerField()
    free_from_minor: Any = peewee.BigIntegerField(null=True)
    days: Any = peewee.CharField(max_length=50, default="")
    weight_from: Any = peewee.IntegerField(null=True)
    weight_to: Any = peewee.IntegerField(null=True)
    is_active: Any = peewee.BooleanField(default=True)
    position: Any = peewee.IntegerField(default=0)

    class Meta:
        table_name = "orders_shipping_method"
        indexes = ((("code", "currency"), True),)

    @property
    def price(self) -> Money:
        """What it costs, unless it is free."""
        return Money(self.price_minor, self.currency)


#: All of them.
MODELS = (TaxRate, ShippingMethod)
