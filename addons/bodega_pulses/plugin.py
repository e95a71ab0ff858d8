"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable
from typing import Any

import click

from bodega_pulses import (
    commands,
    console,
    events,
    following,
    jobs,
    models,
    notices,
    resources,
    sample_data,
)
from bodega_sdk import (
    Channel,
    ConsolePage,
    Event,
    Job,
    Model,
    Routes,
    SampleData,
    Service,
    hookimpl,
)


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return models.MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.add(*resources.routes())
    routes.collection("/pulses/series", resources.SeriesList)
    routes.collection("/pulses/rules", resources.Rules)
    routes.collection("/pulses/alerts", resources.Alerts)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return jobs.JOBS


@hookimpl
def register_services() -> Iterable[Service]:
    """What keeps rollups and alerts up to date."""
    return [jobs.FOLLOWER]


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_channels() -> Iterable[Channel]:
    """The real-time channels."""
    return following.channels()


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.pulses]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return console.pages()


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Points of the sample products."""
    return [sample_data.SAMPLES]


@hookimpl(optionalhook=True)
def notification_types(types: tuple[Any, ...]) -> tuple[Any, ...]:
    """What is told of alerts, where notifications are enabled."""
    return (*types, *notices.types())
