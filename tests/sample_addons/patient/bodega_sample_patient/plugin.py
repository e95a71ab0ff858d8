"""The index of patient, which does nothing but wait."""

from collections.abc import Iterable

import peewee

from bodega_sdk import Model, hookimpl


class Guest(Model):
    """Who waits."""

    id = peewee.AutoField()

    class Meta:
        """Peewee's options."""

        table_name = "patient_guest"


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the table."""
    return [Guest]
