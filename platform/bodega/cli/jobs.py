"""``bodega jobs …``."""

import json
from typing import Any
from uuid import UUID

import click

from bodega.cli import echo_table
from bodega.cli.context import Context, home_option
from bodega.database.tables import JobRow
from bodega.jobs import administration
from bodega.jobs.administration import STATUSES
from bodega_sdk.encoding import to_json
from bodega_sdk.jobs import LANES


@click.group()
@home_option
def jobs() -> None:
    """List jobs, try them again, cancel them.

    Example: bodega jobs list --status dead
    """


@jobs.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only jobs of this status.")
@click.option("--name", help="Only jobs of this name.")
@click.option("--lane", type=click.Choice(LANES), help="Only jobs of this lane.")
@click.option("--addon", help="Only jobs of this addon.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="Jobs at most.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_jobs(context: Context, /, limit: int, as_json: bool, **wanted: str | None) -> None:
    """List jobs, newest first.

    Example: bodega jobs list --status dead --json
    """
    context.shop()
    query = administration.select(**wanted)
    rows = list(query.order_by(JobRow.id.desc()).limit(limit))
    if as_json:
        _echo_json([administration.as_json(row) for row in rows])
        return
    head = [("ID", "NAME", "STATUS", "ATTEMPTS", "DONE", "CREATED", "ERROR")]
    echo_table([*head, *map(_cells, rows)])
    if len(rows) == limit:
        click.echo(f"… {query.count()} in all; see more with --limit.", err=True)


def _cells(row: JobRow) -> tuple[Any, ...]:
    shown = administration.as_json(row)
    done = row.done if shown["progress"] is None else f"{shown['progress']:g} %"
    error = (row.error or "").partition("\n")[0][:60]
    attempts = f"{row.attempts}/{row.max_attempts}"
    return (row.id, row.name, row.status, attempts, done, f"{row.created_at:%F %T}", error)


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(json.loads(to_json(value)), indent=2, ensure_ascii=False))


@jobs.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(context: Context, job_id: UUID, as_json: bool) -> None:
    """Show all that is known of a job, its payload too.

    Example: bodega jobs show 0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77
    """
    context.shop()
    shown = administration.with_payload(administration.find(job_id))
    if as_json:
        _echo_json(shown)
        return
    for name, value in json.loads(to_json(shown)).items():
        plain = isinstance(value, str)
        click.echo(f"{name + ':':14}{value if plain else json.dumps(value, ensure_ascii=False)}")


@jobs.command()
@click.argument("job_id", metavar="[ID]", type=click.UUID, required=False)
@click.option("--dead", "name", metavar="NAME", help="All dead jobs of this name.")
@click.pass_obj
def retry(context: Context, job_id: UUID | None, name: str | None) -> None:
    """Queue a dead or cancelled job again, or all dead jobs of a name.

    Example: bodega jobs retry --dead imports.import_file
    """
    if (job_id is None) == (name is None):
        raise click.UsageError("give either the ID of a job or --dead NAME.")
    shop = context.shop()
    if name is not None:
        count = administration.retry_dead(shop, name)
        click.echo(f"Queued {count} dead {name} again.")
    elif job_id is not None:
        row = administration.retry(shop, job_id)
        click.echo(f"Job {row.id} ({row.name}) is {row.status} again.")


@jobs.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.pass_obj
def cancel(context: Context, job_id: UUID) -> None:
    """Stop a job that has not ended; a running one writes nothing more.

    Example: bodega jobs cancel 0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77
    """
    row = administration.cancel(context.shop(), job_id)
    click.echo(f"Job {row.id} ({row.name}) is cancelled.")


@jobs.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def schedules(context: Context, as_json: bool) -> None:
    """List schedules: how often, when next, and how the last job ended.

    Example: bodega jobs schedules
    """
    found = administration.schedules(context.shop())
    if as_json:
        _echo_json(found)
        return
    rows = [
        (item["name"], f"{item['every']:g} s",
         f"{item['due']:%F %T}" if item["due"] else "at the next sweep",
         item["last_status"] or "never ran")
        for item in found
    ]  # fmt: skip
    echo_table([("NAME", "EVERY", "DUE (UTC)", "LAST JOB"), *rows])
