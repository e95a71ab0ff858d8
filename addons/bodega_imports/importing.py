"""Importing a file: stage its rows, then write the winners.

Usually in short transactions, one after the other; in a single one where all rows or none
are to be written. A dry run writes the same, and rolls it back.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

from bodega_imports import events, report
from bodega_imports.changes import remember
from bodega_imports.chunks import ChunkSize
from bodega_imports.columnar import Batch, PlainTable, fits
from bodega_imports.columns import Layout, Parse, UnrecognisedColumns, recognise
from bodega_imports.files import open_file
from bodega_imports.formulas import is_escaped, records_of
from bodega_imports.models import BadRow, Import
from bodega_imports.profiles import How
from bodega_imports.records import Record, Table, UnreadableFile
from bodega_imports.rows import Row, RowError, read_rows
from bodega_imports.staging import Staging
from bodega_imports.telling import PAUSE, Beside
from bodega_imports.turns import Turn, write_in_turns
from bodega_products import api as products
from bodega_sdk import (
    JobRun,
    acting_for,
    database,
    extensions_of,
    folder,
    job_state,
    now,
    setting,
    transaction,
    uuid7,
)
from bodega_sdk.bulk import insert_rows
from bodega_sdk.errors import LeaseLost, PermanentFailure, TryLater
from bodega_sdk.money import exponent

#: How long one waits that has to wait for another.
_TURN = timedelta(seconds=0.5)
#: New products that the database looks at first, and how many times as many the next time:
#: it takes tenths of a second where there are many, and of a few it does not matter.
_LOOKED_AT, _GROWN = 500, 4
#: Its place among the staged rows, its line, and the row.
_Staged = tuple[int, int, Any]


class ForbiddenColumn(Exception):
    """Whoever sent the file may not write one of its columns; the message names both."""


class IncompleteFile(Exception):
    """Rows cannot be imported, and all or none were wanted; the message says how many."""


class _Undone(Exception):
    """What was written is rolled back."""


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
    _await_turn(run)
    try:
        largest = setting("imports.largest_unpacked_mb") * 1_000_000
        how = How(**(run.how or {}))
        with (
            opened(file_of(run.id), run.filename, how, largest) as (file, layout),
            acting_for(_account(run)),
        ):
            refuse(layout, withheld)
            _Importing(job, run, file, layout).go()
    except (UnreadableFile, UnrecognisedColumns, ForbiddenColumn, IncompleteFile) as error:
        _fail(job, run, str(error))
        raise PermanentFailure(str(error)) from None


@contextmanager
def opened(path: Path, filename: str, how: How, largest: int) -> Iterator[tuple[Table, Layout]]:
    """Open a file of products, and find out what its columns are.

    Args:
        largest: bytes at most that it may be unpacked to.

    Raises:
        UnreadableFile, UnrecognisedColumns: it is none.
    """
    with open_file(path, filename, options=how.reading, largest=largest) as file:
        yield file, recognise(file.header, extension_cells(), how.columns)


def _await_turn(run: Import) -> None:
    """Leave the products to imports that were begun before.

    Raises:
        TryLater: one of them has not ended.
    """
    # Not the ids: that of a resumable upload is older than its import. Nor is waited for a
    # file that is still being fetched: it is not ready, and waits in its turn.
    earlier = (Import.ready_at < run.ready_at) | (
        (Import.ready_at == run.ready_at) & (Import.id < run.id)
    )
    before = Import.select(Import.id).where(Import.finished_at.is_null(), earlier)
    for (other,) in before.order_by(Import.id).tuples():
        state = job_state(other)
        if state is not None and state.status in ("queued", "running"):
            raise TryLater(f"import {other} was begun before and has not ended", _TURN)


def _account(run: Import) -> str:
    """Return the id of the account that sent the file; empty when a command did."""
    try:
        return str(UUID(run.started_by))
    except ValueError:
        return ""


def refuse(layout: Layout, withheld: Mapping[str, str]) -> None:
    """Refuse a file with a column that its sender may not write.

    Raises:
        ForbiddenColumn: it has one.
    """
    for name in layout.columns.keys() & withheld.keys():
        raise ForbiddenColumn(f"The column '{name}' needs the permission '{withheld[name]}'.")


def _fail(job: JobRun, run: Import, message: str) -> None:
    with job.transaction():
        run.status, run.message, run.finished_at = "failed", message, now()
        run.save()
        events.publish(events.import_failed, run)


class _Importing:
    """One run over one file."""

    def __init__(self, job: JobRun, run: Import, file: Table, layout: Layout) -> None:
        self._cells = extension_cells()
        self._places = exponent(setting("products.currency"))
        self._plain: PlainTable | None = None
        if fits(layout, self._cells):
            escaped = is_escaped(file, layout.format)
            self._plain = PlainTable(layout, self._places, escaped=escaped)
        self._job = job
        self._run = run
        self._file = file
        self._layout = layout
        self._read = 0
        self._folded = 0
        self._bad = 0
        self._looked_at = _LOOKED_AT

    def go(self) -> None:
        self._begin()
        path = folder("imports") / f"{self._run.id}.{self._job.attempt}.staging"
        with Staging(path) as staging:
            staged = staging.fill(self._staged_rows(staging))
            if "after" not in self._job.checkpoint:
                self._start_writing(staged, staging.distinct())
            self._size = ChunkSize(setting("imports.chunk_rows"), staging.row_bytes())
            chunks = staging.winners(self._job.checkpoint["after"], self._size)
            if self._is_one:
                self._write_whole(chunks)
            elif self._goes_by_turns:
                for _ in write_in_turns(chunks, self._write, setting("imports.at_once")):
                    self._look_at_products()
            else:
                for chunk in chunks:
                    self._write(chunk, Turn())
                    self._look_at_products()
            if self._run.errors:
                report.write(self._run, self._layout.header, staging)
        self._finish()

    @property
    def _is_one(self) -> bool:
        """Whether all is to be written in one transaction.

        Of a dry run where what one row takes or frees decides about others.
        """
        taking = {"slug", "variants"} & self._layout.columns.keys()
        return self._run.atomic or (self._run.dry_run and bool(taking or self._layout.grouped))

    @property
    def _goes_by_turns(self) -> bool:
        """Whether chunks can be written at the same time.

        Of rows that take nothing that another could have; SQLite has one writer.
        """
        return (
            database.obj.for_update
            and self._plain is not None
            and "slug" not in self._layout.columns
        )

    def _begin(self) -> None:
        run = self._run
        digest = run.sha256 or _digest(file_of(run.id))
        with self._job.transaction():
            if "after" not in self._job.checkpoint:
                # What a run that died while reading had reported is found again.
                BadRow.delete().where(BadRow.run == run).execute()
                run.phase = "reading"
            run.status, run.format, run.sha256 = "running", self._layout.format, digest
            run.started_at = run.started_at or now()
            run.ignored_columns = list(self._layout.ignored)
            run.save()
            events.publish(events.import_progressed, run)

    def _staged_rows(self, staging: Staging) -> Iterator[list[tuple[int, str, Any]]]:
        """Yield the valid rows for staging; report the others, and how far it is."""
        if self._plain is not None:
            batches = self._plain.read(self._file)
        else:
            batches = self._batches(records_of(self._file, self._layout.format))
        told = time.monotonic()
        bad: list[RowError] = []
        for rows, others in batches:
            self._read += len(rows) + len(others)
            yield [(line, products.sku_key(row[0]), row) for line, row in rows]
            found = [item for item in others if isinstance(item, RowError)]
            self._folded += len(others) - len(found)
            bad += found
            if len(bad) >= 1000:
                self._report(bad)
                bad = []
            if self._plain is not None and self._plain.bad:
                staging.keep(self._plain.bad)
                self._plain.bad.clear()
            if time.monotonic() > told + PAUSE:
                told = time.monotonic()
                self._tell_reading()
        self._report(bad)

    def _batches(self, records: Iterable[Record]) -> Iterator[Batch]:
        """Yield what records are that are read singly."""
        items = read_rows(records, self._layout, self._places, self._cells)
        while some := list(islice(items, 500)):
            rows = [(item.line, self._staged(item)) for item in some if isinstance(item, Row)]
            yield rows, [item for item in some if not isinstance(item, Row)]

    def _staged(self, item: Row) -> list[Any]:
        variants = item.variants if self._layout.grouped or item.variants else None
        return [item.sku, item.fields, variants, item.images]

    def _tell_reading(self) -> None:
        """Say how far reading is; whoever was cancelled learns it here."""
        with self._job.transaction():
            # A run that goes on where another died reads again what that one had read.
            self._run.read_rows = max(self._read, self._run.read_rows)
            done, self._run.whole_bytes = self._file.position
            self._run.read_bytes = max(done, self._run.read_bytes)
            self._run.updated_at = now()
            self._run.save()
            events.publish(events.import_progressed, self._run)

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
            run.read_rows = self._read
            run.read_bytes = run.whole_bytes = self._file.position[1]
            run.errors, run.superseded = self._bad, staged - distinct + self._folded
            run.processed_rows = run.errors + run.superseded
            self._save(after=0)

    def _write(self, chunk: list[_Staged], turn: Turn) -> None:
        with self._job.transaction():
            outcomes = self._outcomes(chunk)
            turn.wait()
            _insert_bad_rows(self._run, self._count(chunk, outcomes))
            self._save(after=chunk[-1][0])

    def _look_at_products(self) -> None:
        """Let the database look at the products, which others read already, once in a while."""
        if self._run.created >= self._looked_at:
            self._looked_at = _GROWN * self._run.created
            products.refresh_statistics()

    def _outcomes(self, chunk: list[_Staged]) -> list[products.Outcome]:
        """Write rows; in a dry run, so that nothing of it stays."""
        if not self._run.dry_run or self._is_one:
            return self._upsert(chunk)
        outcomes: list[products.Outcome] = []
        with suppress(_Undone), transaction():
            outcomes = self._upsert(chunk)
            raise _Undone
        return outcomes

    def _upsert(self, chunk: list[_Staged]) -> list[products.Outcome]:
        began, rows = time.monotonic(), self._rows(chunk)
        changes: list[products.Change] = []
        source = f"import:{self._run.id}"
        outcomes = products.upsert(rows, source, self._run.organization, changes)
        remember(self._run, changes)
        self._size.took(len(chunk), time.monotonic() - began)
        return outcomes

    def _rows(self, chunk: list[_Staged]) -> list[products.ProductRow] | products.ProductTable:
        if self._plain:
            return products.ProductTable(self._plain.fields, [row for _, _, row in chunk])
        return [
            _product_row(*row, grouped=self._layout.grouped, cells=self._cells)
            for _, _, row in chunk
        ]

    def _value(self, row: Any, column: str) -> str:
        """Return what a staged row has in a column."""
        values = dict(zip(self._plain.fields, row[1:], strict=True)) if self._plain else row[1]
        found = values.get(column)
        return "" if found is None else str(found)

    def _write_whole(self, chunks: Iterable[list[_Staged]]) -> None:
        """Write all rows in one transaction, or none."""
        run, refused = self._run, []
        if run.atomic and run.errors:
            raise _not_whole(run)
        # A run that died may have told of more.
        run.processed_rows = run.errors + run.superseded
        with closing(Beside(run.id)) as beside, suppress(_Undone), self._job.transaction():
            for chunk in chunks:
                refused += self._count(chunk, self._outcomes(chunk))
                self._refuse_cancelled()
                beside.tell(run.processed_rows)
            beside.close()
            if run.dry_run or (run.atomic and refused):
                raise _Undone
            _insert_bad_rows(run, refused)
            self._save(after=-1)
            return
        with self._job.transaction():
            _insert_bad_rows(run, refused)
            if not (run.atomic and refused):
                self._save(after=-1)
                return
            run.created = run.updated = run.unchanged = 0
            run.processed_rows = run.errors + run.superseded
            self._save(after=0)
        raise _not_whole(run)

    def _refuse_cancelled(self) -> None:
        """Stop a long transaction of a job that is cancelled.

        Raises:
            LeaseLost: it is.
        """
        state = job_state(self._run.id)
        if state is None or state.status != "running":
            raise LeaseLost(f"import {self._run.id} was cancelled")

    def _count(self, chunk: list[_Staged], outcomes: list[products.Outcome]) -> list[RowError]:
        """Count outcomes; return the rows that were refused."""
        run = self._run
        counts = Counter(map(attrgetter("status"), outcomes))
        refused: list[RowError] = []
        if counts["refused"]:
            refused = [
                RowError(line, one.column, self._value(row, one.column), one.reason)
                for (_, line, row), one in zip(chunk, outcomes, strict=True)
                if one.status == "refused"
            ]
        for status in ("created", "updated", "unchanged"):
            setattr(run, status, getattr(run, status) + counts[status])
        run.errors += len(refused)
        run.processed_rows += len(chunk)
        return refused

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


def product_row(row: Row, layout: Layout) -> products.ProductRow:
    """Return a row of a file as products take it."""
    variants = row.variants if layout.grouped or row.variants else None
    return _product_row(
        row.sku, row.fields, variants, row.images, grouped=layout.grouped, cells=extension_cells()
    )


def _product_row(
    sku: str,
    values: Mapping[str, Any],
    variants: list[dict[str, Any]] | None,
    images: Iterable[Iterable[str]],
    *,
    grouped: bool,
    cells: Mapping[str, Parse],
) -> products.ProductRow:
    fields = {name: value for name, value in values.items() if name not in cells}
    tags = fields.pop("tags", None)
    if "compare_at_price_minor" in fields:
        fields["compare_at_minor"] = fields.pop("compare_at_price_minor")
    if grouped and variants and len(variants) == 1 and not variants[0]["options"]:
        variants = []  # A product that comes in one form only.
    added: dict[str, dict[str, Any]] = {}
    for name in values.keys() & cells.keys():
        addon, _, member = name.partition(".")
        added.setdefault(addon, {})[member] = cells[name](values[name])
    pictures = tuple(products.Picture(*image) for image in images)
    return products.ProductRow(sku, fields, variants, added, tags, pictures)


def _not_whole(run: Import) -> IncompleteFile:
    return IncompleteFile(
        f"{run.errors:,} rows cannot be imported, and all or none were wanted: nothing was "
        "changed. Correct them, or import without 'atomic'."
    )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _insert_bad_rows(run: Import, bad: Iterable[RowError]) -> None:
    rows = [
        (uuid7(), item.line, column[:200], value[:250], reason)
        for item in bad
        for column, value, reason in ((item.column, item.value, item.reason), *item.others)
    ]
    if rows:
        same = {"run": run.id, "created_at": now(), "updated_at": now()}
        insert_rows(BadRow, ("id", "line", "column", "value", "reason"), rows, same=same)
