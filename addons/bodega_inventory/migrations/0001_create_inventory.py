"""The tables as they were in the beginning. A migration that has run is never changed."""

import peewee

from bodega_sdk import UTCDateTimeField, extends


def up(migrator, db):
    """Create them."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Level(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        product = peewee.UUIDField(index=True)
        variant = peewee.UUIDField(null=True)
        organization = peewee.UUIDField(null=True, index=True)
        on_hand = peewee.BigIntegerField()
        reserved = peewee.BigIntegerField()
        available = peewee.BigIntegerField(index=True)
        low_stock_threshold = peewee.IntegerField(null=True)
        backorder = peewee.BooleanField()
        backorder_limit = peewee.IntegerField(null=True)
        tracked = peewee.BooleanField()
        in_stock = peewee.BooleanField()
        low_stock = peewee.BooleanField(index=True)
        retired = peewee.BooleanField()

        class Meta:
            table_name = "inventory_level"
            constraints = (
                peewee.Check("reserved >= 0"),
                peewee.Check("available = on_hand - reserved"),
                peewee.Check(
                    "available >= 0 OR (backorder AND "
                    "(backorder_limit IS NULL OR available >= -backorder_limit))"
                ),
            )

    class Movement(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        item = peewee.UUIDField()
        product = peewee.UUIDField(index=True)
        variant = peewee.UUIDField(null=True)
        organization = peewee.UUIDField(null=True, index=True)
        kind = peewee.CharField(max_length=20)
        quantity = peewee.BigIntegerField()
        available = peewee.BigIntegerField()
        reason = peewee.CharField(max_length=500)
        reference = peewee.CharField(max_length=200, index=True)
        key = peewee.CharField(max_length=200, null=True)
        actor = peewee.CharField(max_length=100)

        class Meta:
            table_name = "inventory_movement"
            indexes = ((("item", "id"), False), (("key", "item"), True))
            constraints = (peewee.Check("quantity <> 0"),)

    class Reservation(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        reference = peewee.CharField(max_length=200)
        item = peewee.UUIDField(index=True)
        product = peewee.UUIDField(index=True)
        variant = peewee.UUIDField(null=True)
        organization = peewee.UUIDField(null=True, index=True)
        quantity = peewee.BigIntegerField()
        status = peewee.CharField(max_length=10)
        counted = peewee.BooleanField()
        actor = peewee.CharField(max_length=100)
        expires_at = UTCDateTimeField()
        closed_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "inventory_reservation"
            indexes = ((("reference", "item"), True), (("status", "expires_at"), False))
            constraints = (peewee.Check("quantity > 0"),)

    class ProductStock(Base):
        id = extends("products.product")
        stock = peewee.BigIntegerField(index=True)
        in_stock = peewee.BooleanField(index=True)
        low_stock = peewee.BooleanField(index=True)
        backorder = peewee.BooleanField()

        class Meta:
            table_name = "inventory_product_stock"

    class VariantStock(Base):
        id = extends("products.variant")
        stock = peewee.BigIntegerField(index=True)
        in_stock = peewee.BooleanField()
        low_stock = peewee.BooleanField()
        backorder = peewee.BooleanField()

        class Meta:
            table_name = "inventory_variant_stock"

    db.create_tables([Level, Movement, Reservation, ProductStock, VariantStock])


def down(migrator, db):
    """Drop them."""
    for table in ("variant_stock", "product_stock", "reservation", "movement", "level"):
        db.execute_sql(f"DROP TABLE inventory_{table}")
