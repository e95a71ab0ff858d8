"""Commands: ``bodega import FILE``."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from bodega_imports.beginning import begin_import
from bodega_imports.models import BadRow, Import
from bodega_sdk import job_state, work_here

_SHOWN = ("status", "total_rows", "created", "updated", "unchanged", "superseded", "errors")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would happen.")
@click.option("--atomic", is_flag=True, help="Import all rows or, if one is bad, none.")
@click.option("--wait", is_flag=True, help="Wait until it is done, with a progress bar.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_file(file: Path, dry_run: bool, atomic: bool, wait: bool, as_json: bool) -> None:
    """Import products from FILE: our own columns or another shop's export.

    FILE is CSV or TSV, a workbook (.xlsx) or JSON Lines, also in a .gz or .zip.

    A worker does it; with --wait and no worker running, this command does it itself.

    Example: bodega import products.csv --wait
    """
    run = begin_import(
        file.name, file.stat().st_size, "command", lambda path: shutil.copyfile(file, path),
        dry_run=dry_run, atomic=atomic,
    )  # fmt: skip
    if not wait:
        _print_begun(run, as_json)
        return
    work_here(run.id)
    run = _follow(run, quiet=as_json)
    _print_outcome(run, as_json)
    if run.status != "completed":
        raise SystemExit(1)


def _print_begun(run: Import, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"job_id": str(run.id), "status": run.status}))
    else:
        click.echo(f"Import {run.id} is queued; see GET /api/v1/imports/{run.id}.")


def _follow(run: Import, *, quiet: bool) -> Import:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[phase]:8}"), BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.fields[of]} rows"), TimeElapsedColumn(),
    )  # fmt: skip
    console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("import", total=None, phase="queued", of="?")
        for seen in _states(run):
            run = seen
            of = f"{run.total_rows:,}" if run.total_rows is not None else "?"
            bar.update(task, completed=run.processed_rows, total=run.total_rows,
                       phase=run.phase or run.status, of=of)  # fmt: skip
    return run


def _states(run: Import) -> Iterator[Import]:
    """Yield the import as it goes on, until it or its job has ended."""
    while True:
        ended = job_state(run.id)
        run = Import.get_by_id(run.id)
        yield run
        if run.status in ("completed", "failed", "cancelled"):
            return
        if ended is None or ended.status in ("dead", "cancelled", "succeeded"):
            run.status, run.message = "failed", (ended and ended.error) or "its job is gone"
            yield run
            return
        time.sleep(0.2)


def _print_outcome(run: Import, as_json: bool) -> None:
    if as_json:
        shown = {"job_id": str(run.id)} | {name: getattr(run, name) for name in _SHOWN}
        click.echo(json.dumps(shown | ({"message": run.message} if run.message else {})))
        return
    if run.status != "completed":
        click.echo(f"The import {run.status}: {run.message}", err=True)
        return
    if run.dry_run:
        click.echo("A dry run: nothing was changed.")
    click.echo(
        f"{run.total_rows:,} rows: {run.created:,} created, {run.updated:,} updated, "
        f"{run.unchanged:,} unchanged, {run.superseded:,} superseded, {run.errors:,} errors"
    )
    if run.ignored_columns:
        click.echo(f"Columns not used: {', '.join(run.ignored_columns)}")
    for bad in BadRow.select().where(BadRow.run == run).order_by(BadRow.line).limit(10):
        click.echo(f"  line {bad.line}, {bad.column}: {bad.value!r}: {bad.reason}", err=True)
    if run.errors > 10:
        click.echo(f"  … all of them at GET /api/v1/imports/{run.id}/errors", err=True)
