"""A table that its migrations never finish."""

from bodega_sdk import Entity, hookimpl


class Sheet(Entity):
    """A sheet."""

    class Meta:
        """Peewee's options."""

        table_name = "failing_migration_sheet"


@hookimpl
def register_models() -> list[type[Entity]]:
    """Return the table."""
    return [Sheet]
