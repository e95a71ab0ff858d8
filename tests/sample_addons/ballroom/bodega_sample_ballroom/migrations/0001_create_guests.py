"""The table of guests."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create it."""

    class Guest(peewee.Model):  # type: ignore[misc]
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        name = peewee.CharField(max_length=200)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "ballroom_guest"

    db.create_tables([Guest])


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.execute_sql("DROP TABLE ballroom_guest")
