"""Reads the rows of a workbook's sheet (.xlsx), one after the other, in little memory."""

import re
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from xml.parsers import expat

from bodega_imports.records import (
    LARGEST_CELL,
    MOST_COLUMNS,
    BrokenRecord,
    Record,
    UnreadableFile,
    header_of,
    too_many_columns,
)
from bodega_imports.unpacking import Metered
from bodega_imports.xlsx_parts import Depth, Parts, broken_workbook, local, parse
from bodega_imports.xlsx_strings import Strings, unescaped
from bodega_imports.xlsx_values import Show, show_number
from bodega_imports.xlsx_workbook import Workbook, small

_BOOLEANS = {"1": "true", "0": "false", "true": "true", "false": "false"}
_LONG = f"a cell is longer than {LARGEST_CELL:,} characters"
_ROWS = 1 << 20


class XlsxFile:
    """An open workbook, read at one sheet; see :class:`~bodega_imports.records.Table`.

    Args:
        archive: its zip file; it is not closed.
        folder: where its strings are put while it is read.
        sheet: name or number of the sheet; empty for the first that is not hidden.
        largest: bytes of a part at most, unpacked.
    """

    kind, delimiter, encoding = "xlsx", "", "utf-8"

    def __init__(self, archive: zipfile.ZipFile, folder: Path, sheet: str, largest: int) -> None:
        parts = Parts(archive, largest)
        workbook = Workbook(parts)
        path = workbook.path_of(sheet)
        self._strings = workbook.strings(folder)
        try:
            self._source, self._size = parts.open(path), parts.size(path)
            records = _Rows(self._source, self._strings, workbook.shows()).read()
            self.header = header_of(next(records, None))
            self._records = self._squared(records)
            if (first := next(self._records, None)) is None:
                raise UnreadableFile("The sheet has a header and no rows: add a row per product.")
            self._records = chain([first], self._records)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Record]:
        return self._records

    @property
    def position(self) -> tuple[int, int]:
        """Bytes read of the sheet, and bytes of all."""
        return self._source.count, max(self._size, self._source.count)

    def close(self) -> None:
        """Give back what it holds."""
        if self._strings:
            self._strings.close()

    def _squared(self, records: Iterator[Record]) -> Iterator[Record]:
        """Give rows the width of the header: a sheet leaves out cells that are empty."""
        width = len(self.header)
        for record in records:
            if missing := width - len(record.values):
                if missing > 0:
                    record.values.extend([""] * missing)
                else:
                    _trim(record.values, width)
            yield record


def _trim(values: list[str], width: int) -> None:
    while len(values) > width and not values[-1].strip():
        values.pop()


class _Rows:
    """The rows of a sheet, of which the empty ones are left out."""

    def __init__(self, source: Metered, strings: Strings | None, shows: list[Show]) -> None:
        self._source, self._shows = source, shows
        self._strings = strings
        self._columns: dict[str, int] = {}
        self._texts: list[str] = []
        self._ready: list[Record] = []
        self._values: list[str] = []
        self._cell: dict[str, str] | None = None
        self._row, self._text, self._at = 0, "", -1
        self._in_row = self._phonetic = False
        self._reason = ""
        self._depth = Depth()

    def read(self) -> Iterator[Record]:
        """Yield the rows."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start_root
        self._parser = parser
        for _ in parse(self._source, parser, self._texts):
            if len(self._text) > 2 * LARGEST_CELL:
                raise broken_workbook(_LONG)
            yield from self._ready
            self._ready.clear()
        yield from self._ready

    def _start_root(self, name: str, _: dict[str, str]) -> None:
        prefix = name[: len(name) - len(local(name))]
        self._c, self._v, self._t, self._tr, self._f, self._rph = (
            prefix + name for name in ("c", "v", "t", "row", "f", "rPh")
        )
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == self._c:
            if self._cell is not None or not self._in_row:
                raise broken_workbook("a cell is not in a row")
            self._cell = given
            self._text = ""
        elif name == self._v or name == self._t:
            self._texts.clear()
            self._depth.down()
        elif name == self._tr:
            self._begin_row(given)
        else:
            self._depth.down()
            self._phonetic = self._phonetic or name == self._rph

    def _end(self, name: str) -> None:
        if name == self._v or name == self._t:
            self._depth.up()
            if not self._phonetic:
                self._text += "".join(self._texts)
        elif name == self._c:
            if self._text:
                self._take()
            else:
                self._at = self._column()
            self._cell = None
        elif name == self._tr:
            self._end_row()
        else:
            self._depth.up()
            self._phonetic = self._phonetic and name != self._rph

    def _begin_row(self, given: dict[str, str]) -> None:
        if self._in_row:
            raise broken_workbook("a row is in another")
        told = small(given.get("r", ""))
        self._row = told if told > self._row else self._row + 1
        if self._row > _ROWS:
            raise broken_workbook(f"it has more than {_ROWS:,} rows")
        self._in_row, self._at = True, -1

    def _end_row(self) -> None:
        values, self._values, self._in_row = self._values, [], False
        if self._reason:
            self._ready.append(BrokenRecord(self._row, [values[0][:200]], self._reason))
            self._reason = ""
        elif len(values) > 1 or "".join(values).strip():
            self._ready.append(Record(self._row, values))

    def _column(self) -> int:
        letters = self._cell["r"].rstrip("0123456789") if self._cell and "r" in self._cell else ""
        at = self._columns.get(letters)
        if at is None:
            return self._known(letters) if letters else self._at + 1
        return at

    def _known(self, letters: str) -> int:
        if not re.fullmatch("[A-Z]{1,3}", letters):
            raise broken_workbook(f"row {self._row} has a cell at {letters[:20]!r}")
        at = 0
        for letter in letters:
            at = at * 26 + ord(letter) - 64
        self._columns[letters] = at - 1
        return at - 1

    def _take(self) -> None:
        """Put the text of a cell where it belongs."""
        at = self._at = self._column()
        values = self._values
        if at >= MOST_COLUMNS:
            raise too_many_columns(f"Row {self._row}", at + 1)
        if at > len(values):
            values.extend([""] * (at - len(values)))
        text = self._shown()
        if len(text) > LARGEST_CELL:
            self._reason, text = _LONG, ""
        if at < len(values):
            values[at] = text
        else:
            values.append(text)

    def _shown(self) -> str:
        assert self._cell is not None
        text, kind = self._text, self._cell.get("t", "n")
        if kind == "s":
            if self._strings is None:
                raise broken_workbook("it has no strings")
            return self._strings.get(text)
        if kind == "n":
            style = self._cell.get("s")
            at = small(style) if style else 0
            show = self._shows[at] if at < len(self._shows) else show_number
            return show(text.strip())
        return _BOOLEANS.get(text.strip(), text) if kind == "b" else unescaped(text)
