"""The table of notes."""

from typing import Any

import peewee

from bodega_sdk import Entity


class Note(Entity):
    """A note."""

    title: Any = peewee.CharField(max_length=200)
    words: Any = peewee.IntegerField(null=True)

    class Meta:
        """Peewee's options."""

        table_name = "notes_note"
