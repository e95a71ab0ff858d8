"""The index of notes: every hook it implements, and where."""

from collections.abc import Iterable

import click
from bodega_sample_notes import commands, resources, writing
from bodega_sample_notes.models import Note

from bodega_sdk import Channel, Event, FirstStart, Job, Model, Routes, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the table."""
    return [Note]


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve the notes."""
    routes.collection("/notes", resources.Notes)


@hookimpl
def register_jobs() -> Iterable[Job]:
    """Return the jobs."""
    return [writing.count_words, writing.forget_empty]


@hookimpl
def register_events() -> Iterable[Event]:
    """Return the event."""
    return [writing.note_created]


@hookimpl
def register_channels() -> Iterable[Channel]:
    """Return the channel of one note."""
    return [Channel("notes.{id}", ("note.created",), "notes.follow", "What happens to a note")]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """Return the command."""
    return [commands.notes]


@hookimpl
def on_first_start(start: FirstStart) -> None:
    """Write the first note."""
    writing.write_note("Welcome")
    start.lines.append("One note was written.")
