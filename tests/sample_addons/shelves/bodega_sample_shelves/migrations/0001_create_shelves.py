"""The tables of shelves, two of which point to tables of products."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create them."""

    class Base(peewee.Model):  # type: ignore[misc]
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False

    class Category(Base):
        class Meta:
            table_name = "products_category"

    class Product(Base):
        class Meta:
            table_name = "products_product"

    class Shelf(Base):
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        category = peewee.ForeignKeyField(
            Category, null=True, on_delete="SET NULL", column_name="category"
        )

        class Meta:
            table_name = "shelves_shelf"

    class Place(Base):
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        shelf = peewee.ForeignKeyField(Shelf, on_delete="CASCADE")
        product = peewee.ForeignKeyField(Product, on_delete="CASCADE", column_name="product")

        class Meta:
            table_name = "shelves_place"

    class Label(Base):
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        place = peewee.ForeignKeyField(Place, on_delete="CASCADE")
        text = peewee.CharField(max_length=50)

        class Meta:
            table_name = "shelves_label"

    db.create_tables([Shelf, Place, Label])


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    for table in ("label", "place", "shelf"):
        db.execute_sql(f"DROP TABLE shelves_{table}")
