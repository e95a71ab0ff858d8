"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable
from typing import Any

import click

from bodega_payments import (
    commands,
    console,
    events,
    hearing,
    jobs,
    methods,
    models,
    notices,
    resources,
    usage,
    webhook_route,
)
from bodega_payments.sandbox import challenge
from bodega_sdk import ConsolePage, Event, Job, Model, Routes, Subscriptions, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return models.MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.collection("/payments/methods", methods.Methods)
    routes.collection("/payments/ledger", resources.Ledger)
    routes.collection("/payments/{id}/refunds", resources.Refunds)
    routes.collection("/payments", resources.Payments)
    routes.add(methods.SETUP, usage.ROUTE, webhook_route.ROUTE, *challenge.ROUTES)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return jobs.JOBS


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """Orders that are cancelled, and accounts that go."""
    events.on("order.cancelled", hearing.give_back)
    events.on("account.deleted", hearing.forget_account)


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.payments]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return console.pages()


@hookimpl(optionalhook=True)
def notification_types(types: tuple[Any, ...]) -> tuple[Any, ...]:
    """What customers and staff are told."""
    return (*types, *notices.types())
