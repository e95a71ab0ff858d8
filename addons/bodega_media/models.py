"""The tables of pictures."""

from typing import Any

import peewee

from bodega_media import addresses
from bodega_sdk import Companion, Entity, Model, UTCDateTimeField, extends, now


def of_product() -> Any:
    """Return a field that holds a product's id; a row ends with its product."""
    rule = peewee.SQL('REFERENCES "products_product" ("id") ON DELETE CASCADE')
    return peewee.UUIDField(constraints=[rule])


class Stored(Model):
    """A file in the storage: what equal pictures share.

    ``key`` is the SHA-256 of its bytes, ``touched_at`` when somebody last began to need it.
    """

    key: Any = peewee.CharField(max_length=64, primary_key=True)
    media: Any = peewee.CharField(max_length=20)
    bytes: Any = peewee.BigIntegerField()
    touched_at: Any = UTCDateTimeField(default=now, index=True)

    class Meta:
        table_name = "media_stored"


class Image(Entity):
    """A picture of a product. What is known of its file stands here too, to be read at once."""

    product: Any = of_product()
    variant: Any = peewee.UUIDField(null=True)
    # Of the product, to know whose picture it is.
    organization: Any = peewee.UUIDField(null=True, index=True)
    stored: Any = peewee.ForeignKeyField(Stored, object_id_name="key", on_delete="RESTRICT")
    media: Any = peewee.CharField(max_length=20)
    bytes: Any = peewee.BigIntegerField()
    width: Any = peewee.IntegerField()
    height: Any = peewee.IntegerField()
    colour: Any = peewee.CharField(max_length=7)
    alt: Any = peewee.CharField(max_length=500, default="")
    position: Any = peewee.IntegerField(default=0)
    is_primary: Any = peewee.BooleanField(default=False)
    is_private: Any = peewee.BooleanField(default=False)

    class Meta:
        table_name = "media_image"
        indexes = ((("product", "position"), False),)


class ProductMedia(Companion):
    """What a product's list item shows of its pictures; its row is the lock of them all."""

    id: Any = extends("products.product")
    image: Any = peewee.UUIDField(null=True)
    stored: Any = peewee.CharField(max_length=64, default="")
    media: Any = peewee.CharField(max_length=20, default="")
    width: Any = peewee.IntegerField(default=0)
    height: Any = peewee.IntegerField(default=0)
    colour: Any = peewee.CharField(max_length=7, default="")
    alt: Any = peewee.CharField(max_length=500, default="")
    count: Any = peewee.IntegerField(default=0)

    class Meta:
        table_name = "media_product"

    @property
    def primary(self) -> dict[str, Any] | None:
        """The picture to show the product with; None when it has no public one."""
        if self.image is None:
            return None
        names = ("alt", "width", "height", "colour")
        return {name: getattr(self, name) for name in names} | {
            "id": self.image,
            "url": addresses.plain(self.stored, self.media),
            "sizes": addresses.all_sizes(self.stored, self.media),
        }


class Making(Model):
    """A size that somebody is making just now, so that nobody else makes it too."""

    name: Any = peewee.CharField(max_length=200, primary_key=True)
    token: Any = peewee.CharField(max_length=32)
    until: Any = UTCDateTimeField()

    class Meta:
        table_name = "media_making"


class Wanted(Entity):
    """A picture that lies elsewhere, and is to be fetched for a product; once.

    ``digest`` is of its address; ``due_at`` when it is fetched, or when whoever began to is
    taken for dead; ``image`` what became of it.
    """

    product: Any = of_product()
    organization: Any = peewee.UUIDField(null=True, index=True)
    digest: Any = peewee.CharField(max_length=64)
    url: Any = peewee.CharField(max_length=2000)
    alt: Any = peewee.CharField(max_length=500, default="")
    status: Any = peewee.CharField(max_length=10, default="waiting")
    reason: Any = peewee.CharField(max_length=500, default="")
    attempts: Any = peewee.IntegerField(default=0)
    due_at: Any = UTCDateTimeField(default=now)
    image: Any = peewee.UUIDField(null=True)

    class Meta:
        table_name = "media_wanted"
        indexes = ((("product", "digest"), True), (("status", "due_at"), False))


MODELS: list[type[Model]] = [Stored, Image, ProductMedia, Making, Wanted]
