"""Importing a file: stage its rows, then write the winners in short transactions."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from peewee import chunked

from bodega_imports import events
from bodega_imports.columns import Layout, Parse, UnrecognisedColumns, recognise
from bodega_imports.csv_reader import CsvFile, UnreadableFile, open_csv
from bodega_imports.models import BadRow, Import
from bodega_imports.rows import Folded, Row, RowError, read_rows
from bodega_imports.staging import Staging
from bodega_products import api as products
from bodega_sdk import JobRun, acting_for, extensions_of, folder, now, setting
from bodega_sdk.errors import PermanentFailure
from bodega_sdk.money import exponent


class ForbiddenColumn(Exception):
    """Whoever sent the file may not write one of its columns; the message names both."""


def file_of(import_id: object) -> Path:
    """Return where the file of an import is kept."""
    return folder("imports") / f"{import_id}.data"


def extension_cells() -> dict[str, Parse]:
    """Return how the cells of columns read that addons add to products, by column."""
    found: dict[str, Parse] = {}
    for extension in extensions_of("products.product"):
        found |= extension.columns()
    return found


def run_import(job: JobRun, withheld: Mapping[str, str]) -> None:
    """Import the file of the import that has the job's id; go on where a dead run stopped.

    Args:
        withheld: columns that who sent the file may not write, and the permissions they need.

    Raises:
        PermanentFailure: the file cannot be read or used; the import says why.
    """
    run = Import.get_by_id(job.id)
    try:
        with open_csv(file_of(run.id)) as file, acting_for(_account(run)):
            cells = extension_cells()
            layout = recognise(file.header, cells)
            _refuse(layout, withheld)
            _Importing(job, run, file, layout, cells).go()
    except (UnreadableFile, UnrecognisedColumns, ForbiddenColumn) as error:
        _fail(job, run, str(error))
        raise PermanentFailure(str(error)) from None


def _account(run: Import) -> str:
    """Return the id of the account that sent the file; empty when a command did."""
    try:
        return str(UUID(run.started_by))
    except ValueError:
        return ""


def _refuse(layout: Layout, withheld: Mapping[str, str]) -> None:
    for name in layout.columns.keys() & withheld.keys():
        raise ForbiddenColumn(f"The column '{name}' needs the permission '{withheld[name]}'.")


def _fail(job: JobRun, run: Import, message: str) -> None:
    with job.transaction():
        run.status, run.message, run.finished_at = "failed", message, now()
        run.save()
        events.publish(events.import_failed, run)


class _Importing:
    """One run over one file."""

    def __init__(
        self, job: JobRun, run: Import, file: CsvFile, layout: Layout, cells: Mapping[str, Parse]
    ) -> None:
        self._cells = cells
        self._job = job
        self._run = run
        self._file = file
        self._layout = layout
        self._read = 0
        self._folded = 0
        self._bad = 0

    def go(self) -> None:
        self._begin()
        path = folder("imports") / f"{self._run.id}.{self._job.attempt}.staging"
        with Staging(path) as staging:
            staged = staging.fill(self._staged_rows())
            if "after" not in self._job.checkpoint:
                self._start_writing(staged, staging.distinct())
            size = setting("imports.chunk_rows")
            for chunk in staging.winners(self._job.checkpoint["after"], size):
                self._write(chunk)
        self._finish()

    def _begin(self) -> None:
        with self._job.transaction():
            if "after" not in self._job.checkpoint:
                # What a run that died while reading had reported is found again.
                BadRow.delete().where(BadRow.run == self._run).execute()
                self._run.phase = "reading"
            self._run.status, self._run.format = "running", self._layout.format
            self._run.ignored_columns = list(self._layout.ignored)
            self._run.save()
            events.publish(events.import_progressed, self._run)

    def _staged_rows(self) -> Iterator[tuple[int, str, Any]]:
        """Yield the valid rows for staging; report the others."""
        bad: list[RowError] = []
        places = exponent(setting("products.currency"))
        for item in read_rows(self._file, self._layout, places, self._cells):
            self._read += 1
            if isinstance(item, Row):
                variants = item.variants if self._layout.grouped else None
                yield item.line, products.sku_key(item.sku), [item.sku, item.fields, variants]
            elif isinstance(item, Folded):
                self._folded += 1
            else:
                bad.append(item)
                if len(bad) == 1000:
                    self._report(bad)
                    bad = []
        self._report(bad)

    def _report(self, bad: list[RowError]) -> None:
        self._bad += len(bad)
        if "after" in self._job.checkpoint or not bad:
            return  # A run before this one has reported them.
        with self._job.transaction():
            _insert_bad_rows(self._run, bad)

    def _start_writing(self, staged: int, distinct: int) -> None:
        run = self._run
        with self._job.transaction():
            run.phase, run.total_rows = "writing", self._read
            run.errors, run.superseded = self._bad, staged - distinct + self._folded
            run.processed_rows = run.errors + run.superseded
            self._save(after=0)

    def _write(self, chunk: list[tuple[int, int, Any]]) -> None:
        rows = [self._product_row(*row) for _, _, row in chunk]
        with self._job.transaction():
            source = f"import:{self._run.id}"
            outcomes = products.upsert(rows, source, self._run.organization)
            self._count(chunk, outcomes)
            self._save(after=chunk[-1][0])

    def _product_row(
        self, sku: str, values: dict[str, Any], variants: list[dict[str, Any]] | None
    ) -> products.ProductRow:
        fields = {name: value for name, value in values.items() if name not in self._cells}
        if "compare_at_price_minor" in fields:
            fields["compare_at_minor"] = fields.pop("compare_at_price_minor")
        if variants is not None and len(variants) == 1 and not variants[0]["options"]:
            variants = []  # A product that comes in one form only.
        added: dict[str, dict[str, Any]] = {}
        for name in values.keys() & self._cells.keys():
            addon, _, member = name.partition(".")
            added.setdefault(addon, {})[member] = self._cells[name](values[name])
        return products.ProductRow(sku, fields, variants, added)

    def _count(self, chunk: list[tuple[int, int, Any]], outcomes: list[products.Outcome]) -> None:
        run = self._run
        refused: list[RowError] = []
        for (_, line, row), outcome in zip(chunk, outcomes, strict=True):
            if outcome.status == "refused":
                value = str(row[1].get(outcome.column, ""))
                refused.append(RowError(line, outcome.column, value, outcome.reason))
            else:
                setattr(run, outcome.status, getattr(run, outcome.status) + 1)
        run.errors += len(refused)
        run.processed_rows += len(chunk)
        _insert_bad_rows(run, refused)

    def _save(self, after: int) -> None:
        """Save how far it is, in the transaction of the rows it tells of."""
        run = self._run
        run.updated_at = now()
        run.save()
        self._job.save({"after": after}, done=run.processed_rows, total=run.total_rows)
        events.publish(events.import_progressed, run)

    def _finish(self) -> None:
        run = self._run
        with self._job.transaction():
            run.status, run.phase, run.finished_at = "completed", "", now()
            run.save()
            events.publish(events.import_completed, run)


def _insert_bad_rows(run: Import, bad: Iterable[RowError]) -> None:
    rows = [
        {"run": run, "line": item.line, "column": column[:200], "value": value[:250],
         "reason": reason}
        for item in bad
        for column, value, reason in ((item.column, item.value, item.reason), *item.others)
    ]  # fmt: skip
    for some in chunked(rows, 1000):
        BadRow.insert_many(some).execute()
