"""The tables of pictures."""

import peewee

from bodega_sdk import UTCDateTimeField

_PRODUCT = 'REFERENCES "products_product" ("id") ON DELETE CASCADE'


def up(migrator, db):
    """Create them."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Stored(Base):
        key = peewee.CharField(max_length=64, primary_key=True)
        media = peewee.CharField(max_length=20)
        bytes = peewee.BigIntegerField()
        touched_at = UTCDateTimeField(index=True)

        class Meta:
            table_name = "media_stored"

    class Image(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        product = peewee.UUIDField(constraints=[peewee.SQL(_PRODUCT)])
        variant = peewee.UUIDField(null=True)
        organization = peewee.UUIDField(null=True, index=True)
        stored = peewee.ForeignKeyField(Stored, object_id_name="key", on_delete="RESTRICT")
        media = peewee.CharField(max_length=20)
        bytes = peewee.BigIntegerField()
        width = peewee.IntegerField()
        height = peewee.IntegerField()
        colour = peewee.CharField(max_length=7)
        alt = peewee.CharField(max_length=500)
        position = peewee.IntegerField()
        is_primary = peewee.BooleanField()
        is_private = peewee.BooleanField()

        class Meta:
            table_name = "media_image"
            indexes = ((("product", "position"), False),)

    class ProductMedia(Base):
        id = peewee.UUIDField(primary_key=True, constraints=[peewee.SQL(_PRODUCT)])
        image = peewee.UUIDField(null=True)
        stored = peewee.CharField(max_length=64)
        media = peewee.CharField(max_length=20)
        width = peewee.IntegerField()
        height = peewee.IntegerField()
        colour = peewee.CharField(max_length=7)
        alt = peewee.CharField(max_length=500)
        count = peewee.IntegerField()

        class Meta:
            table_name = "media_product"

    class Making(Base):
        name = peewee.CharField(max_length=200, primary_key=True)
        token = peewee.CharField(max_length=32)
        until = UTCDateTimeField()

        class Meta:
            table_name = "media_making"

    db.create_tables([Stored, Image, ProductMedia, Making])
    # What the code promises, the database holds it to.
    db.execute_sql(
        "CREATE UNIQUE INDEX media_one_primary ON media_image (product) WHERE is_primary"
    )


def down(migrator, db):
    """Drop them."""
    for table in ("making", "product", "image", "stored"):
        db.execute_sql(f"DROP TABLE media_{table}")
