"""The tables of the catalogue."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, Money, uuid7


class Category(Entity):
    """A group of products."""

    name: Any = peewee.CharField(max_length=200)
    slug: Any = peewee.CharField(max_length=220, unique=True)
    description: Any = peewee.TextField(default="")
    is_active: Any = peewee.BooleanField(default=True)

    class Meta:
        table_name = "products_category"


class Product(Entity):
    """Something that is sold.

    ``sku_key`` is the SKU as it is compared: without regard to case. ``search_text``
    is what a search looks into: folded name and SKU.
    """

    name: Any = peewee.CharField(max_length=255, index=True)
    slug: Any = peewee.CharField(max_length=255, unique=True)
    sku: Any = peewee.CharField(max_length=100)
    sku_key: Any = peewee.CharField(max_length=300, unique=True)
    description: Any = peewee.TextField(default="")
    price_minor: Any = peewee.BigIntegerField(index=True)
    compare_at_minor: Any = peewee.BigIntegerField(null=True)
    currency: Any = peewee.FixedCharField(max_length=3)
    category: Any = peewee.ForeignKeyField(
        Category, null=True, on_delete="SET NULL", backref="products"
    )
    image_url: Any = peewee.CharField(max_length=2000, default="")
    is_active: Any = peewee.BooleanField(default=True)
    is_featured: Any = peewee.BooleanField(default=False)
    search_text: Any = peewee.TextField(default="")
    # Of the organization that sells it; null when the shop itself does.
    organization: Any = peewee.UUIDField(null=True, index=True)

    class Meta:
        table_name = "products_product"

    @property
    def price(self) -> Money:
        """What it costs."""
        return Money(self.price_minor, self.currency)

    @property
    def compare_at_price(self) -> Money | None:
        """What it cost before, or costs elsewhere."""
        if self.compare_at_minor is None:
            return None
        return Money(self.compare_at_minor, self.currency)


class Variant(Model):
    """A form a product comes in, e.g. a size."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    product: Any = peewee.ForeignKeyField(Product, on_delete="CASCADE", backref="variants")
    position: Any = peewee.IntegerField()
    sku: Any = peewee.CharField(max_length=100, default="")
    options: Any = peewee.JSONField(default=dict)
    price_minor: Any = peewee.BigIntegerField()

    class Meta:
        table_name = "products_variant"
        versioned = True
        indexes = ((("product", "position"), True),)
