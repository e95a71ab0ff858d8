"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_accounts import accounts, commands, events, resources
from bodega_accounts.models import Account
from bodega_sdk import Event, FirstStart, Model, Routes, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [Account]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.add(*resources.AUTH_ROUTES)
    routes.collection("/users", resources.Accounts)


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return [events.account_created]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.users]


@hookimpl
def on_first_start(start: FirstStart) -> None:
    """The administrator of a new shop."""
    accounts.make_administrator(start)
