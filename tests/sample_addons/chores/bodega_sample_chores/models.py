"""The table of chores."""

from typing import Any

import peewee

from bodega_sdk import Entity


class Done(Entity):
    """A chore that was done; a job that is done twice has two rows."""

    job: Any = peewee.CharField(max_length=40, index=True)

    class Meta:
        """Peewee's options."""

        table_name = "chores_done"
