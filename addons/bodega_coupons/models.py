"""The tables of coupons."""

from typing import Any

import peewee

from bodega_sdk import Entity, Money, UTCDateTimeField

#: What a coupon can do.
PERCENTAGE, FIXED, SHIPPING = KINDS = ("percentage", "fixed_amount", "free_shipping")
#: What can become of a use.
REDEEMED, RELEASED = STATES = ("redeemed", "released")


class Coupon(Entity):
    """A code that takes something off a purchase.

    ``uses`` is how many redemptions of it there are that were not released; whoever changes
    it holds this row.
    """

    # As it was typed; what is compared is the key, in upper case.
    code: Any = peewee.CharField(max_length=50)
    key: Any = peewee.CharField(max_length=50, unique=True)
    kind: Any = peewee.CharField(max_length=20)
    # Hundredths of a percent.
    rate: Any = peewee.IntegerField(null=True)
    amount_minor: Any = peewee.BigIntegerField(null=True)
    # Of all its amounts; empty without any.
    currency: Any = peewee.CharField(max_length=3, default="")
    minimum_minor: Any = peewee.BigIntegerField(null=True)
    maximum_minor: Any = peewee.BigIntegerField(null=True)
    most_uses: Any = peewee.IntegerField(null=True)
    most_uses_each: Any = peewee.IntegerField(null=True)
    uses: Any = peewee.IntegerField(default=0)
    valid_from: Any = UTCDateTimeField(null=True)
    valid_until: Any = UTCDateTimeField(null=True)
    active: Any = peewee.BooleanField(default=True)
    # Ids as text; empty for everything.
    categories: Any = peewee.JSONField(default=list)
    products: Any = peewee.JSONField(default=list)
    first_order_only: Any = peewee.BooleanField(default=False)
    combinable: Any = peewee.BooleanField(default=False)
    description: Any = peewee.CharField(max_length=500, default="")
    # What was made at once has one.
    batch: Any = peewee.UUIDField(null=True, index=True)

    class Meta:
        table_name = "coupons_coupon"
        constraints = (peewee.Check("uses >= 0"),)

    def money(self, minor: int) -> Money:
        """Return an amount in its currency."""
        return Money(minor, self.currency)


class Redemption(Entity):
    """That an order used a coupon; kept when the order is cancelled, and released then."""

    coupon: Any = peewee.ForeignKeyField(Coupon, on_delete="CASCADE", index=False)
    order: Any = peewee.UUIDField(index=True)
    number: Any = peewee.CharField(max_length=40)
    account: Any = peewee.UUIDField(null=True, index=True)
    # As it is counted: see `customers.counted`.
    email: Any = peewee.CharField(max_length=254, index=True)
    amount_minor: Any = peewee.BigIntegerField()
    currency: Any = peewee.CharField(max_length=3)
    state: Any = peewee.CharField(max_length=10, default=REDEEMED)
    released_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "coupons_redemption"
        indexes = ((("coupon", "order"), True), (("coupon", "state"), False))

    @property
    def amount(self) -> Money:
        """What came off the order."""
        return Money(self.amount_minor, self.currency)


#: All of them.
MODELS = (Coupon, Redemption)
