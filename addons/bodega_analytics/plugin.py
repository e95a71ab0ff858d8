"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_analytics import (
    commands,
    console,
    events,
    hearing,
    jobs,
    live,
    models,
    resources,
    samples,
    viewing,
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
    Subscriptions,
    hookimpl,
)


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return models.MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.add(viewing.RECORD, *resources.ROUTES)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """What is counted."""
    for pattern in hearing.ORDERS:
        events.on_batch(pattern, hearing.count_orders)
    events.on_batch("cart.item_added", hearing.count_carted)
    events.on_batch("views.recorded", hearing.count_views)


@hookimpl
def register_channels() -> Iterable[Channel]:
    """The real-time channel."""
    return [live.CHANNEL]


@hookimpl
def register_services() -> Iterable[Service]:
    """What tells the channel."""
    return [live.SERVICE]


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return [jobs.catch_up]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.analytics]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's page."""
    return console.pages()


@hookimpl
def register_sample_data() -> Iterable[SampleData]:
    """Views to try the shop out with."""
    return samples.declared()
