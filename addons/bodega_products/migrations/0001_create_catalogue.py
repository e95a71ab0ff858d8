"""The tables of the catalogue."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Category(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        name = peewee.CharField(max_length=200)
        slug = peewee.CharField(max_length=220, unique=True)
        description = peewee.TextField()
        is_active = peewee.BooleanField()

        class Meta:
            table_name = "products_category"

    class Product(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        name = peewee.CharField(max_length=255, index=True)
        slug = peewee.CharField(max_length=255, unique=True)
        sku = peewee.CharField(max_length=100)
        sku_key = peewee.CharField(max_length=300, unique=True)
        description = peewee.TextField()
        price_minor = peewee.BigIntegerField(index=True)
        compare_at_minor = peewee.BigIntegerField(null=True)
        currency = peewee.FixedCharField(max_length=3)
        category = peewee.ForeignKeyField(Category, null=True, on_delete="SET NULL")
        image_url = peewee.CharField(max_length=2000)
        is_active = peewee.BooleanField()
        is_featured = peewee.BooleanField()
        search_text = peewee.TextField()

        class Meta:
            table_name = "products_product"

    class Variant(Base):
        id = peewee.UUIDField(primary_key=True)
        product = peewee.ForeignKeyField(Product, on_delete="CASCADE")
        position = peewee.IntegerField()
        sku = peewee.CharField(max_length=100)
        options = peewee.JSONField()
        price_minor = peewee.BigIntegerField()

        class Meta:
            table_name = "products_variant"
            indexes = ((("product", "position"), True),)

    db.create_tables([Category, Product, Variant])


def down(migrator, db):
    """Drop them."""
    for table in ("variant", "product", "category"):
        db.execute_sql(f"DROP TABLE products_{table}")
