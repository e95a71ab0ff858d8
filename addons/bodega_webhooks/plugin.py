"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_sdk import ConsolePage, Event, Job, Model, Routes, Service, Subscriptions, hookimpl
from bodega_webhooks import commands, console, events, jobs, models
from bodega_webhooks.deliveries import Deliveries, DeliveriesOfOne
from bodega_webhooks.fan_out import fan_out
from bodega_webhooks.resources import Webhooks
from bodega_webhooks.sender import serve


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return models.MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/webhooks/deliveries", Deliveries)
    routes.collection("/webhooks/{id}/deliveries", DeliveriesOfOne)
    routes.collection("/webhooks", Webhooks)


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Every event, in batches."""
    events.on_batch("*", fan_out)


@hookimpl
def register_services() -> Iterable[Service]:
    """The sender."""
    return [Service("webhooks.sender", serve)]


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
    return [commands.webhooks]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return console.pages()
