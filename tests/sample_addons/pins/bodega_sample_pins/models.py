"""The table of pins."""

from typing import Any

import peewee

from bodega_sdk import Entity


class Pin(Entity):
    """A pin, which holds a note."""

    note: Any = peewee.CharField(max_length=40)
    place: Any = peewee.BigIntegerField()

    class Meta:
        """Peewee's options."""

        table_name = "pins_pin"
