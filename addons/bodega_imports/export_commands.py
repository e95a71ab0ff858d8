"""Commands: ``bodega export FILE``."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from bodega_imports.export_jobs import Wanted, begin_export
from bodega_imports.export_models import Export
from bodega_imports.export_resources import texts_of
from bodega_imports.export_schemas import COMPRESSIONS, DELIMITERS, ENCODINGS, FORMATS
from bodega_imports.exporting import file_of
from bodega_products import api as products
from bodega_sdk import job_state, work_here
from bodega_sdk.errors import Problem

_PACKED = {".gz": "gzip", ".zip": "zip"}
_NAMED = {"tab": "\t", "\\t": "\t"}


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--format", type=click.Choice(FORMATS), help="Instead of what FILE ends with.")
@click.option("--compression", type=click.Choice(COMPRESSIONS), help="The same.")
@click.option("--columns", help="Names with commas; those that an import takes if left out.")
@click.option(
    "--filter", "filters", multiple=True, metavar="NAME=VALUE",
    help="As GET /products has them, search=… too; may be given again.",
)  # fmt: skip
@click.option("--delimiter", help="One of , ; | and tab; for csv.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True)
@click.option("--raw", is_flag=True, help="Do not escape what a spreadsheet takes for a formula.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON when it is done.")
def export_file(
    file: str, columns: str | None, filters: tuple[str, ...], as_json: bool, **options: Any
) -> None:
    """Export products to FILE, '-' for standard output: its name says in which format.

    A worker does it; with none running, this command does it itself.

    Example: bodega export products.csv.gz --filter category=lamps
    """
    try:
        run = begin_export(_wanted(file, columns, filters, options), "command")
    except Problem as error:
        raise click.ClickException(str(error)) from None
    work_here(run.id)
    run = _follow(run, quiet=as_json)
    path = file_of(run)
    if run.status != "completed" or path is None:
        raise click.ClickException(f"The export failed: {run.message}")
    _put(path, file)
    _print_outcome(run, file, as_json)


def _wanted(
    file: str, columns: str | None, filters: tuple[str, ...], options: dict[str, Any]
) -> Wanted:
    format, compression = _told(file)
    delimiter = options["delimiter"]
    sent = {
        "format": options["format"] or format,
        "delimiter": _NAMED.get(delimiter, delimiter),
        "encoding": options["encoding"],
        "escape_formulas": not options["raw"],
    }
    if sent["delimiter"] not in (None, *DELIMITERS):
        raise click.BadParameter("expected one of , ; | and tab", param_hint="--delimiter")
    named = [name.strip() for name in columns.split(",")] if columns else None
    narrowed = dict(map(_pair, filters))
    products.checked_filters(narrowed)
    return Wanted(
        columns=[item.name for item in products.checked_columns(named, None)],
        format=sent["format"],
        compression=options["compression"] or compression,
        filters=narrowed,
        **texts_of(sent),
    )


def _told(file: str) -> tuple[str, str]:
    """Return the format and the compression that a name tells."""
    path = Path(file)
    compression = _PACKED.get(path.suffix.lower(), "none")
    ending = Path(path.stem if compression != "none" else path.name).suffix.lower().lstrip(".")
    return ending if ending in FORMATS else "csv", compression


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter(f"expected NAME=VALUE, found {text!r}", param_hint="--filter")
    return name.strip(), value


def _follow(run: Export, *, quiet: bool) -> Export:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[status]:9}"), BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.fields[of]} rows"), TimeElapsedColumn(),
    )  # fmt: skip
    console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("export", total=None, status="queued", of="?")
        for seen in _states(run):
            run = seen
            of = f"{run.total_rows:,}" if run.total_rows is not None else "?"
            bar.update(task, completed=run.processed_rows, total=run.total_rows,
                       status=run.status, of=of)  # fmt: skip
    return run


def _states(run: Export) -> Iterator[Export]:
    """Yield the export as it goes on, until it or its job has ended."""
    while True:
        ended = job_state(run.id)
        run = Export.get_by_id(run.id)
        yield run
        if run.status in ("completed", "failed"):
            return
        if ended is None or ended.status in ("dead", "cancelled", "succeeded"):
            run.status, run.message = "failed", (ended and ended.error) or "its job is gone"
            yield run
            return
        time.sleep(0.1)


def _put(path: Path, file: str) -> None:
    """Put the file where it was wanted; one that is there stays until the new one is whole."""
    if file == "-":
        with path.open("rb") as source:
            shutil.copyfileobj(source, _stdout(), 1 << 18)
            _stdout().flush()
        return
    part = Path(f"{file}.part")
    try:
        shutil.copyfile(path, part)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None


def _stdout() -> BinaryIO:
    return sys.stdout.buffer


def _print_outcome(run: Export, file: str, as_json: bool) -> None:
    to_error = file == "-"
    if as_json:
        names = ("status", "total_rows", "size", "sha256", "format")
        shown = {"job_id": str(run.id)} | {name: getattr(run, name) for name in names}
        click.echo(json.dumps(shown | {"file": file}), err=to_error)
    elif not to_error:
        click.echo(f"{run.total_rows:,} products, {run.size:,} bytes: {file}")
