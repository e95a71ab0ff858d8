"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_accounts import accounts, api_keys, commands, console, events, jobs, models, resources
from bodega_accounts.addresses import Addresses
from bodega_accounts.auth_routes import ROUTES
from bodega_sdk import ConsolePage, Credential, Event, FirstStart, Job, Model, Routes, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return models.MODELS


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.add(*ROUTES)
    routes.collection("/users", resources.Accounts)
    routes.collection("/users/{id}/sessions", resources.Logins)
    routes.collection("/organizations", resources.Organizations)
    routes.collection("/addresses", Addresses)
    routes.collection("/api-keys", resources.ApiKeys)


@hookimpl
def register_credentials() -> Iterable[Credential]:
    """API keys."""
    return [Credential(api_keys.PREFIX, api_keys.holder_of)]


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
    return [commands.users]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return console.pages()


@hookimpl
def on_first_start(start: FirstStart) -> None:
    """The administrator of a new shop."""
    accounts.make_administrator(start)
