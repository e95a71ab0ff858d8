"""The tables of shelves.

The tables that they point to belong to products: only the migration names them, for an
addon imports no other addon's models.
"""

from typing import Any

import peewee

from bodega_sdk import Entity


class Shelf(Entity):
    """A shelf; when its category is deleted it stays, for anything."""

    category: Any = peewee.UUIDField(null=True)

    class Meta:
        """Peewee's options."""

        table_name = "shelves_shelf"


class Place(Entity):
    """A product's place on a shelf; it goes with the product and with the shelf."""

    shelf: Any = peewee.ForeignKeyField(Shelf, on_delete="CASCADE")
    product: Any = peewee.UUIDField()

    class Meta:
        """Peewee's options."""

        table_name = "shelves_place"


class Label(Entity):
    """What is written at a place; it goes with the place."""

    place: Any = peewee.ForeignKeyField(Place, on_delete="CASCADE")
    text: Any = peewee.CharField(max_length=50)

    class Meta:
        """Peewee's options."""

        table_name = "shelves_label"
