"""The companion of things."""

from typing import Any

import peewee

from bodega_sdk import extends


def up(migrator: Any, db: Any) -> None:
    """Create it."""

    class ThingExtra(peewee.Model):  # type: ignore[misc]
        id = extends("things.thing")
        stock = peewee.IntegerField()
        seen = peewee.IntegerField()
        secret = peewee.CharField(max_length=50)
        note = peewee.CharField(max_length=50)
        hits = peewee.IntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "extras_thing"

    db.create_tables([ThingExtra])


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.execute_sql("DROP TABLE extras_thing")
