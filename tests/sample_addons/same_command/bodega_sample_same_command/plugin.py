"""A command that notes brings already."""

import click

from bodega_sdk import hookimpl


@click.command()
def notes() -> None:
    """Do nothing.

    Example: bodega notes
    """


@hookimpl
def register_commands() -> list[click.Command]:
    """Return the command."""
    return [notes]
