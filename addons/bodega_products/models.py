"""The tables of the catalogue."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, Money, UTCDateTimeField, now, uuid7


class Category(Entity):
    """A group of products, in a tree.

    ``path`` is the way from the root, itself included: the ids in hexadecimal, each with
    a slash behind it. Those below a category are those whose path begins with its own.
    ``depth`` is 1 at the root. ``position`` orders those of one parent.
    """

    name: Any = peewee.CharField(max_length=200)
    slug: Any = peewee.CharField(max_length=220, unique=True)
    description: Any = peewee.TextField(default="")
    is_active: Any = peewee.BooleanField(default=True)
    parent: Any = peewee.ForeignKeyField(
        "self", null=True, on_delete="SET NULL", backref="children"
    )
    path: Any = peewee.CharField(max_length=600, default="", index=True)
    depth: Any = peewee.IntegerField(default=1)
    position: Any = peewee.IntegerField(default=0)
    image_url: Any = peewee.CharField(max_length=2000, default="")
    meta_title: Any = peewee.CharField(max_length=255, default="")
    meta_description: Any = peewee.CharField(max_length=500, default="")

    class Meta:
        table_name = "products_category"


class Product(Entity):
    """Something that is sold.

    ``sku_key`` is the SKU as it is compared: without regard to case. ``search_text``
    is what a search looks into: folded name and SKU.

    Of a product that was deleted, ``deleted_at`` says when; its ``slug`` and ``sku_key``
    are free for others, so both hold what no other can have, and ``kept_slug`` the slug.
    """

    # With the id behind it, as lists are ordered: see the indexes.
    created_at: Any = UTCDateTimeField(default=now)
    name: Any = peewee.CharField(max_length=255, index=True)
    slug: Any = peewee.CharField(max_length=255, unique=True)
    sku: Any = peewee.CharField(max_length=100)
    sku_key: Any = peewee.CharField(max_length=300, unique=True)
    description: Any = peewee.TextField(default="")
    price_minor: Any = peewee.BigIntegerField(index=True)
    compare_at_minor: Any = peewee.BigIntegerField(null=True)
    cost_minor: Any = peewee.BigIntegerField(null=True)
    currency: Any = peewee.FixedCharField(max_length=3)
    category: Any = peewee.ForeignKeyField(
        Category, null=True, on_delete="SET NULL", backref="products", index=False
    )
    image_url: Any = peewee.CharField(max_length=2000, default="")
    is_active: Any = peewee.BooleanField(default=True)
    is_featured: Any = peewee.BooleanField(default=False)
    is_digital: Any = peewee.BooleanField(default=False)
    # Null as {} and []: rows that are written many at once leave them out. The names of
    # the tags stand here too, so that lists need no query for them.
    attributes: Any = peewee.JSONField(null=True)
    tag_names: Any = peewee.JSONField(null=True)
    weight_grams: Any = peewee.IntegerField(null=True)
    length_millimetres: Any = peewee.IntegerField(null=True)
    width_millimetres: Any = peewee.IntegerField(null=True)
    height_millimetres: Any = peewee.IntegerField(null=True)
    meta_title: Any = peewee.CharField(max_length=255, default="")
    meta_description: Any = peewee.CharField(max_length=500, default="")
    popularity: Any = peewee.BigIntegerField(default=0)
    search_text: Any = peewee.TextField(default="")
    # Of the organization that sells it; null when the shop itself does.
    organization: Any = peewee.UUIDField(null=True)
    deleted_at: Any = UTCDateTimeField(null=True)
    kept_slug: Any = peewee.CharField(max_length=255, null=True)
    # Since when the shop keeps its vendor from selling it; see moderating.
    taken_down_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "products_product"
        # Those of what few products have (an organization, a category, being featured) hold
        # these products alone: see the migration 0006.
        indexes = (
            (("created_at", "id"), False),
            (("popularity", "id"), False),
        )

    @property
    def price(self) -> Money:
        """What it costs."""
        return Money(self.price_minor, self.currency)

    @property
    def compare_at_price(self) -> Money | None:
        """What it cost before, or costs elsewhere."""
        return self._amount(self.compare_at_minor)

    @property
    def cost(self) -> Money | None:
        """What the shop pays for it."""
        return self._amount(self.cost_minor)

    def _amount(self, minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, self.currency)


class Variant(Entity):
    """A form a product comes in, e.g. a size.

    ``sku_key`` is null without a SKU, and where it is the product's own. ``options_key``
    is a digest of the options, of which a product has each but once. ``price_minor`` says
    what it costs where ``has_price``; else it costs what the product does.
    """

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    product: Any = peewee.ForeignKeyField(Product, on_delete="CASCADE", backref="variants")
    position: Any = peewee.IntegerField()
    sku: Any = peewee.CharField(max_length=100, default="")
    sku_key: Any = peewee.CharField(max_length=300, null=True, unique=True)
    options: Any = peewee.JSONField(default=dict)
    options_key: Any = peewee.CharField(max_length=40, null=True)
    attributes: Any = peewee.JSONField(null=True)
    price_minor: Any = peewee.BigIntegerField()
    has_price: Any = peewee.BooleanField(default=True)

    class Meta:
        table_name = "products_variant"
        indexes = ((("product", "position"), True), (("product", "options_key"), True))

    def price_of(self, product: Product) -> Money:
        """What it costs: its own price, or its product's."""
        return Money(self.price_minor, product.currency) if self.has_price else product.price


class Tag(Entity):
    """A word that products are marked with."""

    name: Any = peewee.CharField(max_length=100)
    slug: Any = peewee.CharField(max_length=120, unique=True)

    class Meta:
        table_name = "products_tag"


class ProductTag(Model):
    """That a product has a tag."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    product: Any = peewee.ForeignKeyField(Product, on_delete="CASCADE", index=False)
    tag: Any = peewee.ForeignKeyField(Tag, on_delete="CASCADE")

    class Meta:
        table_name = "products_product_tag"
        versioned = True
        indexes = ((("product", "tag"), True),)


class FormerSlug(Model):
    """A slug that something had before; whoever asks for it is sent on.

    ``kind`` is ``product`` or ``category``; ``target`` is the id.
    """

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    kind: Any = peewee.CharField(max_length=10)
    slug: Any = peewee.CharField(max_length=255)
    target: Any = peewee.UUIDField(index=True)

    class Meta:
        table_name = "products_former_slug"
        indexes = ((("kind", "slug"), True),)


class Translation(Model):
    """What a product or a category is called in another language.

    ``kind`` and ``target`` as of :class:`FormerSlug`. What is empty is not translated.
    """

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    kind: Any = peewee.CharField(max_length=10)
    target: Any = peewee.UUIDField()
    language: Any = peewee.CharField(max_length=35)
    name: Any = peewee.CharField(max_length=255, default="")
    description: Any = peewee.TextField(default="")
    slug: Any = peewee.CharField(max_length=255, null=True)
    updated_at: Any = UTCDateTimeField()

    class Meta:
        table_name = "products_translation"
        versioned = True
        indexes = (
            (("target", "kind", "language"), True),
            (("kind", "language", "slug"), True),
            (("kind", "slug"), False),
        )


class Price(Model):
    """What a product costs in a currency other than its own."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    product: Any = peewee.ForeignKeyField(Product, on_delete="CASCADE", index=False)
    currency: Any = peewee.FixedCharField(max_length=3)
    price_minor: Any = peewee.BigIntegerField()
    compare_at_minor: Any = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "products_price"
        versioned = True
        indexes = (
            (("product", "currency"), True),
            (("currency", "price_minor"), False),
        )
