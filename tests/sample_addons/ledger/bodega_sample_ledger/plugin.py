"""A table whose name fits two addons."""

from bodega_sdk import Entity, hookimpl


class Page(Entity):
    """A line of a page."""

    class Meta:
        """Peewee's options."""

        table_name = "ledger_page_line"


@hookimpl
def register_models() -> list[type[Entity]]:
    """Return the table."""
    return [Page]
