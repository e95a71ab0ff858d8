"""A table that is not named after its addon."""

from bodega_sdk import Entity, hookimpl


class Page(Entity):
    """A page."""

    class Meta:
        """Peewee's options."""

        table_name = "pages_page"


@hookimpl
def register_models() -> list[type[Entity]]:
    """Return the table."""
    return [Page]
