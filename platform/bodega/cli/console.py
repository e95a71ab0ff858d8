"""Commands: ``bodega console …``."""

from datetime import timedelta

import click

from bodega.cli.context import Context

_LIFETIME = timedelta(minutes=15)


@click.group()
def console() -> None:
    """Get into the console.

    Example: bodega console token
    """


@console.command()
@click.pass_obj
def token(context: Context) -> None:
    """Print an access token that holds every permission for fifteen minutes.

    For a shop whose accounts are disabled or whose administrators forgot their passwords.

    Example: bodega console token
    """
    from bodega_sdk.ids import uuid7

    # Accounts have UUIDs for names; this one is nobody's.
    subject, session = str(uuid7()), context.shop().current
    click.echo(session.issue_token(subject, ("admin",), "access", _LIFETIME, {}))
