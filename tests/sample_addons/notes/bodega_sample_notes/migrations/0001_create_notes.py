"""The table of notes."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create it."""

    class Note(peewee.Model):  # type: ignore[misc]
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        title = peewee.CharField(max_length=200)
        words = peewee.IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notes_note"

    db.create_tables([Note])


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.execute_sql("DROP TABLE notes_note")
