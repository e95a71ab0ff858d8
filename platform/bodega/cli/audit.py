"""``bodega audit …``."""

import json
from dataclasses import asdict
from datetime import datetime

import click

from bodega.cli import echo_table
from bodega.cli.context import Context, home_option
from bodega.database.tables import AuditRow
from bodega.security import audit_check, audit_listing
from bodega.security.audit_check import Verdict
from bodega.security.audit_head import NOTHING, Head, read_head
from bodega_sdk.encoding import to_json


def _instant(ctx: click.Context, param: click.Parameter, text: str | None) -> datetime | None:
    try:
        return None if text is None else audit_listing.read_instant(text)
    except ValueError:
        expected = "2026-01-31 or 2026-01-31T12:00:00Z"
        raise click.BadParameter(f"expected e.g. {expected}, found {text!r}.", ctx, param) from None


@click.group()
@home_option
def audit() -> None:
    """Look at the audit log, and check that nobody has altered it.

    Example: bodega audit verify
    """


@audit.command("list")
@click.option("--actor", help="Only acts of this one, e.g. command:ada.")
@click.option("--action", help="Only this action; 'account.*' finds all that begin so.")
@click.option("--target", help="Only acts on this, e.g. setting:imports.chunk_rows.")
@click.option("--since", metavar="INSTANT", callback=_instant,
              help="From this instant on, in UTC.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True,
              help="Entries at most.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_entries(
    context: Context,
    /,
    since: datetime | None,
    limit: int,
    as_json: bool,
    **wanted: str | None,
) -> None:
    """List acts, newest first.

    Example: bodega audit list --action 'addon.*' --since 2026-01-31
    """
    context.shop()
    query = audit_listing.select(since=since, **wanted)  # type: ignore[arg-type]
    rows = list(query.order_by(AuditRow.seq.desc()).limit(limit))
    if as_json:
        found = [audit_listing.as_json(row) for row in rows]
        click.echo(json.dumps(json.loads(to_json(found)), indent=2, ensure_ascii=False))
        return
    echo_table([("SEQ", "AT (UTC)", "ACTOR", "ACTION", "TARGET", "DETAILS"), *map(_cells, rows)])
    if len(rows) == limit:
        click.echo("… there may be more; see them with --limit.", err=True)


def _cells(row: AuditRow) -> tuple[str, ...]:
    found = audit_listing.details(row)
    told = ", ".join(f"{name}={_shown(value)}" for name, value in found.items())
    shown = told if len(told) <= 100 else f"{told[:99]}…"
    return (str(row.seq), f"{row.at:%F %T}", row.actor, row.action, row.target, shown)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@audit.command()
@click.option("--head", "kept", metavar="SEQ:HASH",
              help="A head that was kept elsewhere: the log must still contain it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def verify(context: Context, kept: str | None, as_json: bool) -> None:
    """Check every entry of the log; exit 1 naming the first that is wrong.

    Example: bodega audit verify --head "$(cat kept-elsewhere)"
    """
    given = read_head(kept) if kept is not None else None
    found = audit_check.verify(context.shop().audit_log, given)
    if as_json:
        told = asdict(found) | {"head": str(found.head), "ok": found.broken is None}
        click.echo(json.dumps(told, indent=2))
    else:
        _tell(found)
    if found.broken is not None:
        raise SystemExit(1)


def _tell(found: Verdict) -> None:
    broken = found.broken
    if broken is not None:
        click.echo(f"BROKEN at entry {broken.seq} ({broken.fault}): {broken.reason}.")
        click.echo(f"The {found.entries:,} entries before it are as they were written.")
        return
    click.echo(f"{found.entries:,} entries are as they were written; the head is {found.head}.")
    if found.held_against:
        click.echo(f"It goes on from {' and '.join(found.held_against)}.")
    elif found.head != NOTHING:
        click.echo("There is no audit.head in this home to hold it against.", err=True)


@audit.command()
@click.option(
    "--accept",
    is_flag=True,
    help="Have audit.head follow the log as it is; for when its loss is explained.",
)
@click.option("--yes", is_flag=True, help="Do not ask before accepting.")
@click.pass_obj
def head(context: Context, accept: bool, yes: bool) -> None:
    """Print the head, SEQ:HASH; keep it where the shop's machine cannot change it.

    Example: bodega audit head
    """
    log = context.shop().audit_log
    if accept:
        if not yes:
            click.confirm("Take the log as it is now, whatever is missing?", abort=True, err=True)
        log.accept()
    last: Head | None = log.last()
    click.echo(str(last or NOTHING))
