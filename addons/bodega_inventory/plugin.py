"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import click

from bodega_inventory import (
    commands,
    console,
    events,
    extending,
    guarding,
    hearing,
    jobs,
    models,
    notices,
    resources,
    samples,
)
from bodega_sdk import (
    ConsolePage,
    Event,
    Extension,
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
    return models.MODELS


@hookimpl
def register_extensions() -> Iterable[Extension]:
    """What products and variants show."""
    return extending.EXTENSIONS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/inventory/levels", resources.Levels)
    routes.collection("/inventory/movements", resources.Movements)
    routes.collection("/inventory/reservations", resources.Reservations)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return jobs.JOBS


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Products and variants that go, come back, or change hands."""
    for name in hearing.HEARD:
        events.on_batch(name, hearing.follow)


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.inventory]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return console.pages()


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Stock for the sample products."""
    return [samples.SAMPLES]


@hookimpl
def refuse_deletion(products: tuple[UUID, ...]) -> str | None:
    """Products that are promised to somebody are kept."""
    return guarding.why_not(products)


@hookimpl(optionalhook=True)
def notification_types(types: tuple[Any, ...]) -> tuple[Any, ...]:
    """News of low stock, where notifications are enabled."""
    return (*types, *notices.types())
