"""The tables of things."""

from typing import Any

import peewee

from bodega_sdk import Entity


class Thing(Entity):
    """A thing."""

    name: Any = peewee.CharField(max_length=200)
    slug: Any = peewee.CharField(max_length=200, unique=True)
    code: Any = peewee.CharField(max_length=50, unique=True)
    size: Any = peewee.IntegerField(default=0)
    cost: Any = peewee.IntegerField(default=5)
    is_hidden: Any = peewee.BooleanField(default=False)

    class Meta:
        """Peewee's options."""

        table_name = "things_thing"


class Part(Entity):
    """A part of a thing."""

    thing: Any = peewee.ForeignKeyField(Thing, backref="parts", on_delete="CASCADE")
    label: Any = peewee.CharField(max_length=50)

    class Meta:
        """Peewee's options."""

        table_name = "things_part"
