"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

from bodega_products import events, resources
from bodega_products.models import Category, Product, Variant
from bodega_sdk import Event, Model, Routes, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [Category, Product, Variant]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/products", resources.Products)
    routes.collection("/categories", resources.Categories)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL
