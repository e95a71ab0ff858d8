"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

from bodega_products import events, resources
from bodega_products.models import Category, Product, Variant
from bodega_products.pricing import PriceFacts
from bodega_sdk import Event, Model, Money, Routes, hookimpl


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


@hookimpl
def quote_price(product: PriceFacts) -> Money:
    """The price that the catalogue says, however many are bought."""
    return product.price
