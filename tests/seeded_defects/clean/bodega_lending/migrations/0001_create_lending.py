"""The tables of offers and loans; an offer points to a product."""

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

    class Product(Base):
        class Meta:
            table_name = "products_product"

    class Offer(Base):
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        product = peewee.ForeignKeyField(
            Product, unique=True, on_delete="CASCADE", column_name="product"
        )
        days = peewee.IntegerField()
        is_open = peewee.BooleanField()

        class Meta:
            table_name = "lending_offer"

    class Loan(Base):
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        offer = peewee.ForeignKeyField(Offer, on_delete="CASCADE")
        ticket = peewee.CharField(max_length=20, unique=True)
        borrower = peewee.CharField(max_length=120)
        due_at = UTCDateTimeField(index=True)
        returned_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "lending_loan"
            indexes = ((("borrower", "returned_at"), False),)

    db.create_tables([Offer, Loan])


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    for table in ("loan", "offer"):
        db.execute_sql(f"DROP TABLE lending_{table}")
