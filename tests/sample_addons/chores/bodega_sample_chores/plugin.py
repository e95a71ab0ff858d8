"""The index of chores: every hook it implements, and where."""

from collections.abc import Iterable

import click
from bodega_sample_chores import commands, doing
from bodega_sample_chores.models import Done

from bodega_sdk import Job, Model, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the table."""
    return [Done]


@hookimpl
def register_jobs() -> Iterable[Job]:
    """Return the job and the schedule."""
    return [doing.do, doing.tidy]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """Return the command."""
    return [commands.chores]
