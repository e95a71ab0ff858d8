"""The table of chores."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create it."""

    class Done(peewee.Model):  # type: ignore[misc]
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        job = peewee.CharField(max_length=40, index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "chores_done"

    db.create_tables([Done])


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.execute_sql("DROP TABLE chores_done")
