"""The table of pins."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create it."""

    class Pin(peewee.Model):  # type: ignore[misc]
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        note = peewee.CharField(max_length=40)
        place = peewee.BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "pins_pin"

    db.create_tables([Pin])


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.execute_sql("DROP TABLE pins_pin")
