"""Commands: ``bodega notifications …``."""

import json
from typing import Any
from uuid import UUID

import click

from bodega_notifications import outbox, previewing, rendering
from bodega_notifications.models import Delivery
from bodega_sdk import audit, setting
from bodega_sdk.errors import Problem


@click.group()
def notifications() -> None:
    """See what people were told, and how it is worded.

    Example: bodega notifications outbox
    """


@notifications.command("outbox")
@click.option("--channel", type=click.Choice(outbox.WAYS), help="Only this way.")
@click.option("--status", type=click.Choice(outbox.STATUSES), help="Only this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Deliveries at most.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_outbox(channel: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List what left the shop or is kept here, newest first; mails are in 'bodega mail list' too.

    Example: bodega notifications outbox --channel sms --status kept
    """
    rows = list(outbox.select(channel=channel, status=status).limit(limit))
    told = outbox.addressees(rows)
    if as_json:
        _echo([outbox.as_json(row, told[row.id]) for row in rows])
        return
    for row in rows:
        click.echo(_line(row, told[row.id]))
    if not rows:
        click.echo("Nothing is there.", err=True)


def _line(row: Delivery, to: str) -> str:
    error = f"  ({row.error})" if row.error else ""
    return (
        f"{row.id}  {row.channel:6}{row.status:9}{row.due_at:%F %T}  {to:30} "
        f"{row.notification.title[:60]}{error}"
    )


@notifications.command()
@click.argument("delivery_id", metavar="ID", type=click.UUID)
def show(delivery_id: UUID) -> None:
    """Show what was sent, or is kept; that somebody read it is written down.

    Example: bodega notifications show 0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77
    """
    try:
        row = outbox.find(delivery_id)
    except Problem as problem:
        raise click.ClickException(problem.detail) from None
    audit("notification.read", f"delivery:{row.id}", type=row.notification.type)
    for name, told in outbox.as_json(row, outbox.addressees([row])[row.id]).items():
        if told not in (None, ""):
            click.echo(f"{name + ':':10}{told}")
    click.echo(f"\n{row.notification.text}")


@notifications.command()
@click.argument("name", metavar="TYPE")
@click.option("--language", default="", help="Language of who is told; the shop's unless said.")
@click.option("--html", "as_html", is_flag=True, help="Print the HTML.")
def preview(name: str, language: str, as_html: bool) -> None:
    """Print a mail of a type, made of its sample.

    Example: bodega notifications preview import.failed --language de
    """
    try:
        kind = previewing.kind_of(name)
        message, _ = rendering.preview(kind, language or setting("notifications.language"))
    except Problem as problem:
        raise click.ClickException(problem.detail) from None
    click.echo(message.html if as_html else f"Subject: {message.title}\n\n{message.text}")


def _echo(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
