"""The tables of carts."""

from typing import Any

import peewee

from bodega_orders.drafts import Destination
from bodega_sdk import Entity

#: Statuses of a cart; only an open one can be changed.
OPEN, ORDERED, MERGED = "open", "ordered", "merged"


class Cart(Entity):
    """What somebody is about to buy.

    ``account`` is whose it is, null for a guest's. ``open_of`` is the same while it is open,
    so that an account has one open cart at most. ``order`` is what it became, ``merged_into``
    the cart that took it over. ``updated_at`` is when somebody last changed it.
    """

    account: Any = peewee.UUIDField(null=True, index=True)
    open_of: Any = peewee.UUIDField(null=True, unique=True)
    status: Any = peewee.CharField(max_length=10, default=OPEN)
    currency: Any = peewee.FixedCharField(max_length=3)
    email: Any = peewee.CharField(max_length=254, default="")
    codes: Any = peewee.JSONField(default=list)
    country: Any = peewee.CharField(max_length=2, default="")
    region: Any = peewee.CharField(max_length=200, default="")
    postal_code: Any = peewee.CharField(max_length=20, default="")
    shipping_method: Any = peewee.CharField(max_length=50, default="")
    order: Any = peewee.UUIDField(null=True)
    merged_into: Any = peewee.UUIDField(null=True)

    class Meta:
        table_name = "orders_cart"

    @property
    def destination(self) -> Destination:
        """Where it goes."""
        return Destination(self.country, self.region, self.postal_code)


class CartItem(Entity):
    """So many of one thing in a cart.

    ``item`` is the variant's id, or the product's without one: a cart has each but once.
    ``price_minor`` and ``price_currency`` are what one cost when it was put in, null and empty
    when that was not known; it is shown that this changed, and nothing else depends on it.
    """

    cart: Any = peewee.ForeignKeyField(Cart, on_delete="CASCADE", index=False)
    item: Any = peewee.UUIDField()
    product: Any = peewee.UUIDField()
    variant: Any = peewee.UUIDField(null=True)
    quantity: Any = peewee.IntegerField()
    price_minor: Any = peewee.BigIntegerField(null=True)
    price_currency: Any = peewee.CharField(max_length=3, default="")

    class Meta:
        table_name = "orders_cart_item"
        indexes = ((("cart", "item"), True),)


#: All of them.
MODELS = (Cart, CartItem)
