"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable
from uuid import UUID

from bodega_sdk import ConsolePage, Event, Model, Routes, hookimpl
from bodega_wishlists import console, events, models, resources


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return models.MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/wishlists", resources.Wishlists)
    routes.collection("/wishlists/items", resources.Items)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's page."""
    return console.pages()


@hookimpl
def account_links(links: dict[str, str], account_id: UUID) -> dict[str, str]:
    """One's own wishlists."""
    return links | {"wishlists": "/api/v1/wishlists"}
