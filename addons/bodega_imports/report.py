"""The report of an import: its bad rows as a CSV file, to be corrected and imported again."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from bodega_imports.files import open_file
from bodega_imports.models import BadRow, Import
from bodega_imports.profiles import How
from bodega_imports.staging import Staging
from bodega_sdk import folder, setting

#: Rows of the report at most.
MOST = 100_000
#: The column that says why; imports do not use it.
REASON = "import_error"


def report_of(import_id: object) -> Path:
    """Return where the report of an import is kept; of one without bad rows there is none."""
    return folder("imports") / f"{import_id}.errors.csv"


def write(run: Import, header: Sequence[str], staging: Staging) -> None:
    """Write the report: the cells as they were in the file, and the reason.

    The file is read once more, unless all bad records were kept while it was read. Of a product
    with rows for its variants only the rows that are bad stand in it.
    """
    reasons = _reasons(run.id)
    records = staging.kept(reasons)
    part = report_of(run.id).with_suffix(".part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, REASON])
        for line, values in _read_again(run) if records is None else records:
            if reason := reasons.get(line):
                cells = [value.replace("\0", "") for value in values[: len(header)]]
                writer.writerow([*cells, *[""] * (len(header) - len(cells)), reason])
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


def _read_again(run: Import) -> Iterator[tuple[int, Sequence[str]]]:
    path = folder("imports") / f"{run.id}.data"
    largest, how = setting("imports.largest_unpacked_mb") * 1_000_000, How(**(run.how or {}))
    with open_file(path, run.filename, options=how.reading, largest=largest) as file:
        yield from file
