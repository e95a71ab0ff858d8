"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_media import commands, console, events, jobs, models, samples, serving, showing
from bodega_media.following import follow_product
from bodega_media.resources import Images, WantedPictures
from bodega_media.schemas import ImageSchema, ProductMediaSchema
from bodega_media.wanting import want
from bodega_sdk import (
    ConsolePage,
    Event,
    Extension,
    Include,
    Job,
    Model,
    Routes,
    SampleData,
    Subscriptions,
    hookimpl,
)


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [model for model in models.MODELS if model is not models.ProductMedia]


@hookimpl
def register_extensions() -> Iterable[Extension]:
    """What products show of their pictures."""
    return [Extension(models.ProductMedia, ProductMediaSchema, filters=("count",))]


@hookimpl
def register_includes() -> Iterable[Include]:
    """All pictures of products."""
    return [
        Include("products.product", "images", ImageSchema, showing.of_products, "Its pictures.")
    ]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/media/images", Images)
    routes.collection("/media/wanted", WantedPictures)
    routes.add(serving.ROUTE)


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Whose products are, and which pictures they have elsewhere."""
    events.on("product.updated", follow_product)
    events.on_batch("product.pictures_named", want, size=20)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.EVENTS


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return jobs.JOBS


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.media]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's page."""
    return console.pages()


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Pictures of the sample products."""
    return [SampleData(samples.make, samples.remove)]
