"""The command of notes."""

import click
from bodega_sample_notes.models import Note


@click.command()
def notes() -> None:
    """Count the notes.

    Example: bodega notes
    """
    click.echo(f"{Note.select().count()} notes")
