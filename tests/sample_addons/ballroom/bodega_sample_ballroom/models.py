"""The table of ballroom."""

from typing import Any

import peewee

from bodega_sdk import Entity


class Guest(Entity):
    """A guest; or a line that an implementation of a hook wrote."""

    name: Any = peewee.CharField(max_length=200)

    class Meta:
        """Peewee's options."""

        table_name = "ballroom_guest"
