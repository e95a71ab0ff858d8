"""The tables of things."""

from typing import Any

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    """Create them."""

    class Base(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

        class Meta:
            database = db
            legacy_table_names = False

    class Thing(Base):
        name = peewee.CharField(max_length=200)
        slug = peewee.CharField(max_length=200, unique=True)
        code = peewee.CharField(max_length=50, unique=True)
        size = peewee.IntegerField()
        cost = peewee.IntegerField()
        is_hidden = peewee.BooleanField()

        class Meta:
            table_name = "things_thing"

    class Part(Base):
        thing = peewee.ForeignKeyField(Thing, backref="parts", on_delete="CASCADE")
        label = peewee.CharField(max_length=50)

        class Meta:
            table_name = "things_part"

    db.create_tables([Thing, Part])


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    db.execute_sql("DROP TABLE things_part")
    db.execute_sql("DROP TABLE things_thing")
