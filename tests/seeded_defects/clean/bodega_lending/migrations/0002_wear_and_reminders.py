"""How worn a product is, and when a borrower was reminded."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField, extends


def up(migrator: Any, db: Any) -> None:
    """Create the table, and add the column: nobody was reminded so far."""

    class ProductWear(peewee.Model):  # type: ignore[misc]
        id = extends("products.product")
        worn = peewee.IntegerField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "lending_product"

    db.create_tables([ProductWear])
    reminded_at = UTCDateTimeField(null=True)
    migrator.migrate(migrator.add_column("lending_loan", "reminded_at", reminded_at))


def down(migrator: Any, db: Any) -> None:
    """Drop both."""
    migrator.migrate(migrator.drop_column("lending_loan", "reminded_at"))
    db.execute_sql("DROP TABLE lending_product")
