"""Cells that a spreadsheet would take for a formula: escaped in what we export, restored in it.

A cell that begins with one of :data:`SIGNS` is no text to a spreadsheet, but something to
reckon, or to run. Such a cell gets an apostrophe in front, unless it is a plain number. So
does one that begins with apostrophes before such a sign, so that nothing is lost: an import
takes one apostrophe away from exactly these. OWASP calls it CSV injection.
"""

import re
from collections.abc import Iterable, Iterator

from bodega_imports.records import BrokenRecord, Record, Table

#: What begins a formula, and their full-width forms.
SIGNS = "=+-@\t\r\n＝＋－＠"
_ESCAPED = re.compile(f"'+[{re.escape(SIGNS)}]")
_FORMULA = re.compile(f"'*[{re.escape(SIGNS)}]")
_NUMBER = re.compile(r"[-+][0-9]+(\.[0-9]+)?")
_APOSTROPHE = 39


def escape(text: str) -> str:
    """Return what stands for a text in a cell.

    Example::

        >>> escape("=1+1"), escape("-5.00"), escape("'=x"), escape("it's")
        ("'=1+1", '-5.00', "''=x", "it's")
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def restore(cell: str) -> str:
    """Return the text that a cell stands for: what :func:`escape` made it of."""
    return cell[1:] if cell[:1] == "'" and _ESCAPED.match(cell) else cell


def records_of(file: Table, format: str) -> Iterable[Record]:
    """Return the records of a file with the texts that their cells stand for.

    Only CSV has escaped cells; and only what looks like ours is taken for it.

    Args:
        format: see :class:`bodega_imports.columns.Layout`.
    """
    return _restored(file) if is_escaped(file, format) else file


def is_escaped(file: Table, format: str) -> bool:
    """Whether the cells of a file are taken for escaped ones."""
    return (file.kind, format) == ("csv", "bodega")


def _restored(records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        if "'" in "".join(record.values) and not isinstance(record, BrokenRecord):
            yield Record(record.line, [restore(cell) for cell in record.values])
        else:
            yield record


def escaped_in_sql(text: str, *, postgres: bool) -> str:
    """Return the SQL of :func:`escape` of a text."""
    harmless, formula, number = (part.replace("$", text) for part in _SQL[postgres])
    # Most cells begin with a letter: no more than that is looked at.
    return (
        f"CASE WHEN {harmless} THEN {text} "
        f"WHEN {formula} AND NOT ({number}) THEN '''' || {text} ELSE {text} END"
    )


_CODES = ", ".join(map(str, map(ord, SIGNS)))
# The hyphen stands last, where it means itself.
_CLASS = f"[''{SIGNS.replace('-', '')}-]*"
_SQL = {
    True: (
        f"ascii($) NOT IN ({_APOSTROPHE}, {_CODES})",
        f"ascii(ltrim($, '''')) IN ({_CODES})",
        r"$ ~ '\A[-+][0-9]+(\.[0-9]+)?\Z'",
    ),
    False: (
        f"$ NOT GLOB '{_CLASS}'",
        f"unicode(ltrim($, '''')) IN ({_CODES})",
        "$ GLOB '[-+][0-9]*' AND $ GLOB '*[0-9]' AND substr($, 2) NOT GLOB '*[^0-9.]*' "
        "AND $ NOT GLOB '*.*.*'",
    ),
}
