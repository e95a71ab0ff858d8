"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

import click

from bodega_imports import (
    commands,
    events,
    export_commands,
    export_events,
    export_jobs,
    export_resources,
    fetching_route,
    jobs,
    previewing,
    profiles,
    resources,
    tus,
    undoing,
    watching,
)
from bodega_imports.changes import ChangedProduct
from bodega_imports.export_models import Export
from bodega_imports.models import BadRow, Import
from bodega_imports.upload_models import Upload
from bodega_sdk import Channel, Event, Job, Model, Routes, Service, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [Import, BadRow, Upload, Export, profiles.Profile, ChangedProduct]


@hookimpl
def register_routes(routes: Routes) -> None:
    """The routes."""
    routes.add(resources.UPLOAD, previewing.PREVIEW, fetching_route.FETCH, *tus.ROUTES)
    routes.collection("/imports/profiles", profiles.Profiles)
    routes.collection("/imports", resources.Imports)
    routes.collection("/imports/{id}/errors", resources.BadRows)
    routes.collection("/exports", export_resources.Exports)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """The jobs."""
    exporting = [export_jobs.export_products, export_jobs.delete_old_exports]
    return [jobs.import_file, jobs.delete_old_files, undoing.undo_import, *exporting]


@hookimpl
def register_services() -> Iterable[Service]:
    """The services."""
    return [watching.SERVICE]


@hookimpl
def register_events() -> Iterable[Event]:
    """The events."""
    return [*events.ALL, *export_events.ALL]


@hookimpl
def register_channels() -> Iterable[Channel]:
    """The real-time channels of one import and of one export."""
    names = tuple(event.name for event in events.ALL)
    summary, may = "The progress of one import", resources.may_follow
    exporting = tuple(event.name for event in export_events.ALL)
    about, follows = "The progress of one export", export_resources.may_follow
    return [
        Channel(
            "imports.{id}", names, "imports.read", summary, may, conflate=True, path="imports/{id}/"
        ),
        Channel("exports.{id}", exporting, export_resources.EXPORT, about, follows),
    ]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """The commands."""
    return [commands.import_file, export_commands.export_file]
