"""``bodega events …``."""

import json
from typing import Any

import click

from bodega.cli import echo_table
from bodega.cli.context import Context, home_option
from bodega.database import outbox
from bodega.database.tables import EventRow
from bodega.http.operations.events import shown, types
from bodega.jobs import subscriptions as reading
from bodega.jobs.subscriptions import Standing
from bodega_sdk.encoding import to_json

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
@home_option
def events() -> None:
    """Read the log of events; see who reads it, and give them events again.

    Example: bodega events list --name "order.*"
    """


@events.command("list")
@click.option("--name", help="Only events of this name; order.* finds all that begin so.")
@click.option("--key", help="Only events about this thing.")
@click.option("--since", type=click.IntRange(0), default=0,
              help="Only events behind this offset.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Events at most.")  # fmt: skip
@_json_option
@click.pass_obj
def list_events(
    context: Context, name: str | None, key: str | None, since: int, limit: int, as_json: bool
) -> None:
    """List what happened, newest first.

    Example: bodega events list --name import.completed --json
    """
    context.shop()
    query = outbox.select(None if name is None else [name], key).where(EventRow.offset > since)
    rows = list(query.order_by(EventRow.offset.desc()).limit(limit))
    if as_json:
        _echo_json([shown(row) for row in rows])
        return
    echo_table([("OFFSET", "EVENT", "KEY", "WHEN (UTC)", "DATA"), *map(_cells, rows)])
    if len(rows) == limit:
        click.echo("… there may be more; see them with --limit.", err=True)


def _cells(row: EventRow) -> tuple[Any, ...]:
    data = json.dumps(row.data, ensure_ascii=False)
    told = data if len(data) <= 100 else f"{data[:99]}…"
    return (row.offset, row.name, row.key, f"{row.occurred_at:%F %T}", told)


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(json.loads(to_json(value)), indent=2, ensure_ascii=False))


@events.command("types")
@_json_option
@click.pass_obj
def list_types(context: Context, as_json: bool) -> None:
    """List the events that can happen, as the enabled addons declare them.

    Example: bodega events types
    """
    found = types(context.assembly())
    if as_json:
        _echo_json(found)
        return
    rows = [
        (item["name"], item["version"], item["addon"], ", ".join(item["fields"]), item["summary"])
        for item in found
    ]
    echo_table([("EVENT", "VERSION", "ADDON", "MEMBERS", "WHEN"), *rows])


@events.command()
@_json_option
@click.pass_obj
def subscriptions(context: Context, as_json: bool) -> None:
    """List who reads the log, how far they are, and why one is stuck.

    Example: bodega events subscriptions
    """
    found = reading.standings(context.shop().current)
    if as_json:
        _echo_json([item.as_json() for item in found])
        return
    head = ("SUBSCRIPTION", "ADDON", "STATE", "PLACE", "BEHIND", "OLDEST", "ERROR")
    echo_table([head, *map(_standing_cells, found)])


def _standing_cells(item: Standing) -> tuple[Any, ...]:
    behind = f"{item.behind}+" if item.behind >= reading.COUNTED else str(item.behind)
    age = f"{item.age:.0f} s" if item.oldest_unread else ""
    error = (item.error or "").partition("\n")[0][:60]
    return (item.name, item.addon or "?", item.state, item.offset, behind, age, error)


@events.command()
@click.argument("subscription")
@click.option("--from", "first", type=click.IntRange(1), required=True, metavar="OFFSET",
              help="The first event that it is given again.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.pass_obj
def replay(context: Context, subscription: str, first: int, dry_run: bool) -> None:
    """Put a subscription back, so that it is given events again.

    Its handler then runs for events that it has dealt with before.

    Example: bodega events replay "order.paid>bodega_loyalty.points.award" --from 1200 --dry-run
    """
    made = reading.replay(context.shop().current, subscription, first, dry_run=dry_run)
    verb = "is given" if made.done else "would be given"
    click.echo(
        f"{subscription} {verb} {made.events} events again, from {made.first}; "
        f"it stood at {made.place}."
    )
