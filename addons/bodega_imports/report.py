"""The report of an import: its bad rows as a CSV file, to be corrected and imported again."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from bodega_imports.files import open_file
from bodega_imports.models import BadRow, Import
from bodega_imports.profiles import How
from bodega_sdk import folder, setting

#: Rows of the report at most.
MOST = 100_000
#: The column that says why; imports do not use it.
REASON = "import_error"


def report_of(import_id: object) -> Path:
    """Return where the report of an import is kept; of one without bad rows there is none."""
    return folder("imports") / f"{import_id}.errors.csv"


def write(run: Import, header: Iterable[str]) -> None:
    """Write the report, out of the file once more: the cells as they were, and the reason.

    Of a product with rows for its variants only the rows that are bad stand in it.
    """
    reasons = _reasons(run.id)
    part = report_of(run.id).with_suffix(".part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, REASON])
        writer.writerows(_rows(run, reasons))
    part.replace(report_of(run.id))


def _reasons(import_id: UUID) -> dict[int, str]:
    """Return why rows are bad, by their lines."""
    query = BadRow.select(BadRow.line, BadRow.column, BadRow.reason)
    query = query.where(BadRow.run == import_id).order_by(BadRow.line, BadRow.id).limit(MOST)
    reasons: dict[int, str] = {}
    for line, column, reason in query.tuples().iterator():
        told = f"{column}: {reason}" if column else reason
        reasons[line] = f"{reasons[line]}; {told}" if line in reasons else told
    return reasons


def _rows(run: Import, reasons: dict[int, str]) -> Iterator[list[str]]:
    path = folder("imports") / f"{run.id}.data"
    largest, how = setting("imports.largest_unpacked_mb") * 1_000_000, How(**(run.how or {}))
    with open_file(path, run.filename, options=how.reading, largest=largest) as file:
        width = len(file.header)
        for line, values in file:
            if reason := reasons.get(line):
                cells = [value.replace("\0", "") for value in values[:width]]
                yield [*cells, *[""] * (width - len(cells)), reason]
