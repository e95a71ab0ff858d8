"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_products import (
    category_resources,
    events,
    resources,
    sample_data,
    search_jobs,
    search_models,
    telling,
    variant_resources,
)
from bodega_products.models import (
    Category,
    FormerSlug,
    Price,
    Product,
    ProductTag,
    Tag,
    Translation,
    Variant,
)
from bodega_products.pricing import PriceFacts
from bodega_products.search_commands import products
from bodega_sdk import Event, Job, Model, Money, Routes, SampleData, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    own = [Category, Product, Variant, Tag, ProductTag, Price, Translation, FormerSlug]
    return [*own, *search_models.ALL]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/products", resources.Products)
    routes.collection("/categories", category_resources.Categories)
    routes.collection("/categories/{id}/products", category_resources.ProductsOfCategory)
    routes.collection("/variants", variant_resources.Variants)
    routes.collection("/tags", variant_resources.Tags)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return [*search_jobs.JOBS, *telling.JOBS]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [products]


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Products to try the shop out with."""
    return sample_data.declared()


@hookimpl
def quote_price(product: PriceFacts) -> Money:
    """The price that the catalogue says, however many are bought."""
    return product.price
