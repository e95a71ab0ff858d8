"""Trees of categories, tags, variants of their own, translations, prices, soft deletion."""

import json
from hashlib import blake2s

import peewee

from bodega_sdk import UTCDateTimeField

_TABLES = ("price", "translation", "former_slug", "product_tag", "tag")
_NUMBERS = ("weight_grams", "length_millimetres", "width_millimetres", "height_millimetres")


def up(migrator, db):
    """Make the tables, and widen those that are there."""
    _create(db)
    _widen_products(migrator)
    _widen_variants(migrator)
    _widen_categories(migrator, db)
    _fill_variants(db)


def _create(db):
    class Base(peewee.Model):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False

    class Product(Base):
        class Meta:
            table_name = "products_product"

    class Tag(Base):
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        name = peewee.CharField(max_length=100)
        slug = peewee.CharField(max_length=120, unique=True)

        class Meta:
            table_name = "products_tag"

    class ProductTag(Base):
        product = peewee.ForeignKeyField(Product, on_delete="CASCADE", index=False)
        tag = peewee.ForeignKeyField(Tag, on_delete="CASCADE")

        class Meta:
            table_name = "products_product_tag"
            indexes = ((("product", "tag"), True),)

    class FormerSlug(Base):
        kind = peewee.CharField(max_length=10)
        slug = peewee.CharField(max_length=255)
        target = peewee.UUIDField(index=True)

        class Meta:
            table_name = "products_former_slug"
            indexes = ((("kind", "slug"), True),)

    class Translation(Base):
        kind = peewee.CharField(max_length=10)
        target = peewee.UUIDField()
        language = peewee.CharField(max_length=35)
        name = peewee.CharField(max_length=255)
        description = peewee.TextField()
        slug = peewee.CharField(max_length=255, null=True)
        updated_at = UTCDateTimeField()

        class Meta:
            table_name = "products_translation"
            indexes = (
                (("target", "kind", "language"), True),
                (("kind", "language", "slug"), True),
                (("kind", "slug"), False),
            )

    class Price(Base):
        product = peewee.ForeignKeyField(Product, on_delete="CASCADE", index=False)
        currency = peewee.FixedCharField(max_length=3)
        price_minor = peewee.BigIntegerField()
        compare_at_minor = peewee.BigIntegerField(null=True)

        class Meta:
            table_name = "products_price"
            indexes = ((("product", "currency"), True), (("currency", "price_minor"), False))

    db.create_tables([Tag, ProductTag, FormerSlug, Translation, Price])


def _add(migrator, table, name, field, default=None):
    """Add a column that code from before need not know: it may be null, or has a default."""
    if default is not None:
        field.constraints = [peewee.SQL(f"DEFAULT {default}")]
    migrator.migrate(migrator.add_column(table, name, field, allow_not_null=not field.null))


def _widen_products(migrator):
    table, text = "products_product", peewee.CharField
    _add(migrator, table, "cost_minor", peewee.BigIntegerField(null=True))
    _add(migrator, table, "is_digital", peewee.BooleanField(), "FALSE")
    _add(migrator, table, "attributes", peewee.JSONField(null=True))
    _add(migrator, table, "tag_names", peewee.JSONField(null=True))
    for name in _NUMBERS:
        _add(migrator, table, name, peewee.IntegerField(null=True))
    _add(migrator, table, "meta_title", text(max_length=255), "''")
    _add(migrator, table, "meta_description", text(max_length=500), "''")
    _add(migrator, table, "popularity", peewee.BigIntegerField(index=True), "0")
    _add(migrator, table, "deleted_at", UTCDateTimeField(null=True))
    _add(migrator, table, "kept_slug", text(max_length=255, null=True))
    _add(migrator, table, "taken_down_at", UTCDateTimeField(null=True))
    # Lists come in these orders; what refers to a category is found by the second, too.
    migrator.migrate(
        migrator.drop_index(table, "products_product_created_at"),
        migrator.add_index(table, ("created_at", "id"), False),
        migrator.drop_index(table, "products_product_category_id"),
        migrator.add_index(table, ("category_id", "created_at"), False),
    )


def _widen_variants(migrator):
    table, text, long_ago = "products_variant", peewee.CharField, "'2000-01-01T00:00:00.000000Z'"
    _add(migrator, table, "created_at", UTCDateTimeField(index=True), long_ago)
    _add(migrator, table, "updated_at", UTCDateTimeField(), long_ago)
    _add(migrator, table, "sku_key", text(max_length=300, null=True, unique=True))
    _add(migrator, table, "options_key", text(max_length=40, null=True))
    _add(migrator, table, "attributes", peewee.JSONField(null=True))
    _add(migrator, table, "has_price", peewee.BooleanField(), "TRUE")
    migrator.migrate(migrator.add_index(table, ("product_id", "options_key"), True))


def _widen_categories(migrator, db):
    class Category(peewee.Model):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "products_category"

    table, text = "products_category", peewee.CharField
    parent = peewee.ForeignKeyField(Category, null=True, field=Category.id, on_delete="SET NULL")
    migrator.migrate(migrator.add_column(table, "parent_id", parent))
    _add(migrator, table, "path", text(max_length=600, index=True), "''")
    _add(migrator, table, "depth", peewee.IntegerField(), "1")
    _add(migrator, table, "position", peewee.IntegerField(), "0")
    _add(migrator, table, "image_url", text(max_length=2000), "''")
    _add(migrator, table, "meta_title", text(max_length=255), "''")
    _add(migrator, table, "meta_description", text(max_length=500), "''")
    # All that are there are roots; their paths hold the ids in hexadecimal.
    db.execute_sql(f"UPDATE {table} SET path = replace(CAST(id AS TEXT), '-', '') || '/'")


def _fill_variants(db):
    """Say of each variant what it is compared by; of what there is twice, the first has it."""
    mark, moment = db.param, "(SELECT p.{0} FROM products_product p WHERE p.id = product_id)"
    db.execute_sql(
        f"UPDATE products_variant SET created_at = {moment.format('created_at')}, "
        f"updated_at = {moment.format('updated_at')}"
    )
    found = db.execute_sql(
        "SELECT v.id, v.product_id, v.sku, v.options, p.sku_key FROM products_variant v "
        "JOIN products_product p ON p.id = v.product_id ORDER BY v.product_id, v.position"
    ).fetchall()
    taken = {key for (key,) in db.execute_sql("SELECT sku_key FROM products_product").fetchall()}
    seen = set()
    for key, product, sku, options, own in found:
        sku_key = sku.strip().casefold() or None
        if sku_key == own or sku_key in taken:
            sku_key = None
        taken.add(sku_key)
        digest = _digest(options)
        options_key = None if (product, digest) in seen else digest
        seen.add((product, digest))
        db.execute_sql(
            f"UPDATE products_variant SET sku_key = {mark}, options_key = {mark} WHERE id = {mark}",
            (sku_key, options_key, key),
        )


def _digest(options):
    pairs = sorted((str(k).casefold(), str(v).casefold()) for k, v in _read(options).items())
    return blake2s(json.dumps(pairs).encode(), digest_size=20).hexdigest()


def _read(options):
    try:
        value = json.loads(options) if isinstance(options, str | bytes) else options
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def down(migrator, db):
    """Drop them; what was deleted comes back inactive, and every variant has a price."""
    db.execute_sql("UPDATE products_product SET is_active = FALSE WHERE deleted_at IS NOT NULL")
    db.execute_sql(
        "UPDATE products_variant SET price_minor = "
        "(SELECT p.price_minor FROM products_product p WHERE p.id = product_id) "
        "WHERE NOT has_price"
    )
    for table in _TABLES:
        db.execute_sql(f"DROP TABLE products_{table}")
    _narrow(migrator, "products_variant", ("created_at", "sku_key"), (
        "created_at", "updated_at", "sku_key", "options_key", "attributes", "has_price",
    ), "products_variant_product_id_options_key")  # fmt: skip
    migrator.migrate(
        migrator.drop_index("products_product", "products_product_created_at_id"),
        migrator.add_index("products_product", ("created_at",), False),
        migrator.drop_index("products_product", "products_product_category_id_created_at"),
        migrator.add_index("products_product", ("category_id",), False),
    )
    _narrow(migrator, "products_product", ("popularity",), (
        "cost_minor", "is_digital", "attributes", "tag_names", *_NUMBERS, "meta_title",
        "meta_description", "popularity", "deleted_at", "kept_slug", "taken_down_at",
    ))  # fmt: skip
    _narrow(migrator, "products_category", ("parent_id", "path"), (
        "parent_id", "path", "depth", "position", "image_url", "meta_title", "meta_description",
    ))  # fmt: skip


def _narrow(migrator, table, indexed, columns, *indexes):
    names = (*indexes, *(f"{table}_{name}" for name in indexed))
    migrator.migrate(
        *(migrator.drop_index(table, name) for name in names),
        *(migrator.drop_column(table, name) for name in columns),
    )
