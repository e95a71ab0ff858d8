"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_notifications import commands, console, events, inbox, jobs, models, previewing
from bodega_notifications.hearing import hear
from bodega_sdk import (
    AUTHENTICATED,
    Channel,
    ConsolePage,
    Event,
    Identity,
    Job,
    Model,
    Routes,
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
    routes.add(*inbox.ROUTES, *previewing.ROUTES)
    routes.collection("/notifications", inbox.Notifications)
    routes.collection("/notifications/targets", inbox.Targets)


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
    """Everything: which events are news to whom, types say that any addon may add."""
    events.on_batch("*", hear)


@hookimpl
def register_channels() -> Iterable[Channel]:
    """The real-time channel of one's own inbox."""

    def is_own(identity: Identity, key: str) -> bool:
        return identity.subject == key

    names = tuple(event.name for event in events.ALL)
    summary = "One's own inbox: new notifications, and how many are unread"
    path = "notifications/{account}/"
    return [Channel("notifications.{account}", names, AUTHENTICATED, summary, is_own, path=path)]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.notifications]


@hookimpl
def register_console_pages() -> Iterable[ConsolePage]:
    """The console's pages."""
    return console.pages()
