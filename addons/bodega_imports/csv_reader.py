"""Reads the records of a CSV file of any size in constant memory.

A record whose quoting is broken (a quote never closed, text after a closing quote, a cell
above ``LARGEST_CELL``) becomes a :class:`BrokenRecord` at the line on which it starts,
and reading goes on at the very next physical line: a stray quote costs one record, not the
rest of the file. Further lines of the broken record are met as records of their own.
"""

import csv
from collections import deque
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from bodega_imports.decoding import encoding_of
from bodega_imports.delimiters import hinted, sniff
from bodega_imports.records import (
    LARGEST_CELL,
    LARGEST_RECORD,
    BrokenRecord,
    Reading,
    Record,
    UnreadableFile,
    header_of,
)

if TYPE_CHECKING:
    from _csv import Reader

#: Characters read a second time, behind broken records, before the file is given up.
MOST_REREAD = 1 << 28

_BLOCK = 1 << 18
_REASONS = {
    "unexpected end": "a quote is opened and never closed",
    "expected after": "text follows a closing quote",
    "field larger": f"a cell is longer than {LARGEST_CELL:,} characters, or a quote is not closed",
}
_QUOTES = 'a quote inside a quoted cell is written twice, as in "15"" screen"'


class CsvFile:
    """An open CSV file; see :class:`~bodega_imports.records.Table`.

    Args:
        stream: of bytes, which begins with the file and can be rewound; it is not closed.
        filename: see :func:`~bodega_imports.delimiters.sniff`.
        reading: what need not be found out.
    """

    kind = "csv"

    def __init__(self, stream: BinaryIO, filename: str = "", reading: Reading | None = None):
        reading = reading or Reading()
        self._bytes, self._size = stream, stream.seek(0, 2)
        self.encoding = encoding_of(stream, reading.encoding)
        self._text = TextIOWrapper(stream, self.encoding, newline="")
        head = self._text.read(1 << 16)
        self._text.seek(0)
        hint = hinted(head)
        self.delimiter = reading.delimiter or hint or sniff(head, filename)
        # The line of the record at hand; the blocks of lines from there on are kept.
        self._line = 2 if hint else 1
        self._blocks: deque[tuple[int, list[str]]] = deque()
        self._seen = self._reread = 0
        records = self._read()
        self.header = header_of(next(records, None))
        if (first := next(records, None)) is None:
            raise UnreadableFile("The file has a header and no records: add a line per product.")
        self._records = chain([first], records)

    def __iter__(self) -> Iterator[Record]:
        return self._records

    @property
    def position(self) -> tuple[int, int]:
        """Bytes read, and bytes of all."""
        return self._bytes.tell(), self._size

    def _read(self) -> Iterator[Record]:
        while True:
            # The limit belongs to the process; another reader may have lowered it.
            csv.field_size_limit(LARGEST_CELL)
            before = self._line - 1
            lines = chain.from_iterable(self._lines())
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            try:
                yield from self._well_formed(reader, before)
                return
            except csv.Error as error:
                yield self._set_back(before + reader.line_num, str(error))

    def _well_formed(self, reader: "Reader", before: int) -> Iterator[Record]:
        # Half a million times: what looks like Record(line, values) is slower.
        new, line = tuple.__new__, before + 1
        for values in reader:
            if len(values) > 1 or "".join(values).strip():
                yield new(Record, (line, values))
            self._line = line = before + reader.line_num + 1

    def _lines(self) -> Iterator[list[str]]:
        """Yield blocks of lines from that of the record at hand."""
        for first, lines in list(self._blocks):
            yield lines[max(self._line - first, 0) :]
        while lines := self._text.readlines(_BLOCK):
            self._blocks.append((self._seen + 1, lines))
            self._seen += len(lines)
            self._forget()
            yield lines[max(self._line - self._blocks[-1][0], 0) :]

    def _forget(self) -> None:
        """Drop the blocks before the record at hand, which may fill only so many."""
        blocks = self._blocks
        while blocks and blocks[0][0] + len(blocks[0][1]) <= self._line:
            blocks.popleft()
        if sum(len(line) for _, lines in list(blocks)[1:] for line in lines) > LARGEST_RECORD:
            raise csv.Error(f"it is longer than {LARGEST_RECORD:,} characters")

    def _set_back(self, last: int, problem: str) -> BrokenRecord:
        line = self._line
        kept = [
            lines[max(line - first, 0) : max(last - first + 1, 0)] for first, lines in self._blocks
        ]
        text, *rest = chain.from_iterable(kept)
        self._line += 1
        # Without a limit, a file made of opened quotes would be read over and over.
        self._reread += sum(map(len, rest))
        if self._reread > MOST_REREAD:
            raise UnreadableFile(f"Too many quotes are not closed, the last on line {line}.")
        found = next((text for sign, text in _REASONS.items() if sign in problem), problem)
        return BrokenRecord(line, [text[:200].rstrip("\r\n")], f"{found}; {_QUOTES}")
