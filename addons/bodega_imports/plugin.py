"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_imports import commands, events, jobs, resources
from bodega_imports.models import BadRow, Import
from bodega_sdk import Channel, Event, Job, Model, Routes, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [Import, BadRow]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.add(resources.UPLOAD)
    routes.collection("/imports", resources.Imports)
    routes.collection("/imports/{id}/errors", resources.BadRows)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    return [jobs.import_file, jobs.delete_old_files]


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return events.ALL


@hookimpl
def register_channels() -> Iterable[Channel]:
    """The real-time channel of one import."""
    names = tuple(event.name for event in events.ALL)
    summary, may = "The progress of one import", resources.may_follow
    return [Channel("imports.{id}", names, "imports.read", summary, may)]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.import_file]
