"""The tables of wishlists."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model


class Wisher(Model):
    """Somebody with wishlists; whoever changes any of them holds this row."""

    account: Any = peewee.UUIDField(primary_key=True)
    # The list that takes what is wished for without naming one.
    default: Any = peewee.UUIDField(null=True)

    class Meta:
        table_name = "wishlists_wisher"
        versioned = True


class Wishlist(Entity):
    """A list of somebody's."""

    account: Any = peewee.UUIDField(index=True)
    name: Any = peewee.CharField(max_length=200)
    # Whoever knows it sees the list; null while it is not shared.
    token: Any = peewee.CharField(max_length=64, null=True, unique=True)

    class Meta:
        table_name = "wishlists_wishlist"


class Item(Entity):
    """A product on a list, or one of its variants.

    ``thing`` is the variant's id, or the product's without one: a list has each but once.
    """

    wishlist: Any = peewee.ForeignKeyField(Wishlist, on_delete="CASCADE", index=False)
    account: Any = peewee.UUIDField(index=True)
    thing: Any = peewee.UUIDField()
    product: Any = peewee.UUIDField(index=True)
    variant: Any = peewee.UUIDField(null=True)
    note: Any = peewee.CharField(max_length=500, default="")

    class Meta:
        table_name = "wishlists_item"
        indexes = ((("wishlist", "thing"), True),)


#: All of them.
MODELS = (Wisher, Wishlist, Item)
