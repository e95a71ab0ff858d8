"""Reports as CSV: a row of the answer is a line, members of members have a dot in their names."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: What a spreadsheet takes for a formula; see OWASP, "CSV injection".
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


def csv_of(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Return rows as CSV in UTF-8, with a line of column names.

    Args:
        columns: what stands there when there are no rows.
    """
    flat = [dict(_flat(row)) for row in rows]
    names = list(flat[0]) if flat else list(columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in flat)
    return text.getvalue().encode()


def _flat(row: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _cell(value: Any) -> str:
    """Return what stands in a cell; what looks like a formula gets an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
