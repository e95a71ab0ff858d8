"""The table of sprouts."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create it."""

    class Sprout(peewee.Model):  # type: ignore[misc]
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        bed = peewee.CharField(max_length=100, index=True)
        note = peewee.CharField(max_length=200)
        watered = peewee.BooleanField()
        height_0 = peewee.IntegerField(null=True)
        height_1 = peewee.IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "growing_sprout"

    db.create_tables([Sprout])


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.execute_sql("DROP TABLE growing_sprout")
