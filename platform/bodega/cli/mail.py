"""``bodega mail …``."""

import json
from typing import Any
from uuid import UUID

import click

from bodega.cli import echo_table
from bodega.cli.context import Context, home_option
from bodega.database.tables import MailRow
from bodega.mail import box
from bodega.mail.box import STATUSES
from bodega_sdk.encoding import to_json


@click.group()
@home_option
def mail() -> None:
    """Read the mails that the shop wrote, and see what became of them.

    Example: bodega mail list
    """


@mail.command("list")
@click.option("--to", metavar="ADDRESS", help="Only mails to this address.")
@click.option("--status", type=click.Choice(STATUSES), help="Only mails of this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Mails at most.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_mail(
    context: Context, to: str | None, status: str | None, limit: int, as_json: bool
) -> None:
    """List mails, newest first; what they say is shown by 'bodega mail show ID'.

    Example: bodega mail list --to ada@shop.example
    """
    context.shop()
    query = box.select(to=to, status=status)
    rows = list(query.order_by(MailRow.id.desc()).limit(limit))
    if as_json:
        _echo_json([box.as_json(row) for row in rows])
        return
    echo_table([("ID", "TO", "SUBJECT", "STATUS", "WRITTEN", "ERROR"), *map(_cells, rows)])
    if len(rows) == limit:
        click.echo(f"… {query.count()} in all; see more with --limit.", err=True)


def _cells(row: MailRow) -> tuple[Any, ...]:
    subject = row.subject if len(row.subject) <= 50 else f"{row.subject[:49]}…"
    written = f"{row.created_at:%F %T}"
    return (row.id, row.to, subject, row.status, written, (row.error or "")[:60])


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(json.loads(to_json(value)), indent=2, ensure_ascii=False))


@mail.command()
@click.argument("mail_id", metavar="ID", type=click.UUID)
@click.option("--html", "as_html", is_flag=True, help="Print its HTML alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(context: Context, mail_id: UUID, as_html: bool, as_json: bool) -> None:
    """Show a mail and what it says; once a mail server took it, that is gone from here.

    Example: bodega mail show 0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77
    """
    shop = context.shop()
    shown = box.read_as_json(shop, mail_id)
    if as_json:
        _echo_json(shown)
    elif as_html:
        click.echo(shown["html"] or "")
    else:
        _echo_whole(shown)


def _echo_whole(shown: dict[str, Any]) -> None:
    for name in ("to", "subject", "status", "created_at", "sent_at", "error"):
        if shown[name] is not None:
            told = f"{shown[name]:%F %T} UTC" if name.endswith("_at") else shown[name]
            click.echo(f"{name.removesuffix('_at') + ':':10}{told}")
    said = shown["text"]
    click.echo("\n" + ("(It was sent; what it said is not kept.)" if said is None else said))
