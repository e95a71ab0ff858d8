"""Reads the records of a CSV file of any size in constant memory.

A record whose quoting is broken (a quote never closed, text after a closing quote, a cell
above :data:`LARGEST_CELL`) becomes a :class:`BrokenRecord` at the line on which it starts,
and reading goes on at the very next physical line: a stray quote costs one record, not the
rest of the file. Further lines of the broken record are met as records of their own.
"""

import codecs
import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Self, TextIO

#: Characters of the largest cell that is read.
LARGEST_CELL = 1 << 20
#: Characters of the largest record, and of the longest physical line.
LARGEST_RECORD = 1 << 24
#: Characters read a second time, behind broken records, before the file is given up.
MOST_REREAD = 1 << 28
DELIMITERS = (",", ";", "\t", "|")

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_REASONS = {
    "unexpected end": "a quote is opened and never closed",
    "expected after": "text follows a closing quote",
    "field larger": f"a cell is longer than {LARGEST_CELL:,} characters, or a quote is not closed",
}
_QUOTES = 'a quote inside a quoted cell is written twice, as in "15"" screen"'
_SAVE = "save it as 'CSV UTF-8' and try again"


class UnreadableFile(Exception):
    """The file cannot be read; the message says what was found, expected and to be done."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; ``line`` is the physical line (from 1) on which it starts."""

    line: int
    values: list[str]


@dataclass(frozen=True, slots=True)
class BrokenRecord(Record):
    """A record whose quoting is broken; ``values`` holds the start of its first line."""

    reason: str


class CsvFile:
    """An open CSV file; iterate over it once, for its records without the header.

    Attributes:
        encoding: ``utf-8``, ``utf-8-sig``, ``utf-16`` or ``cp1252``.
        delimiter: one of :data:`DELIMITERS`.
        header: the names of the columns, stripped; unnamed ones at the end are left out.
    """

    def __init__(self, stream: TextIO, encoding: str) -> None:
        self.encoding, self.delimiter = encoding, _sniff(stream)
        self._stream, self._line, self._reread = stream, 1, 0
        self._held: list[str] = []
        self._again: deque[str] = deque()
        records = self._read()
        self.header = _header(next(records, None))
        if (first := next(records, None)) is None:
            raise UnreadableFile("The file has a header and no records: add a line per product.")
        self._records = chain([first], records)

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stream.close()

    def _read(self) -> Iterator[Record]:
        while True:
            try:
                yield from self._well_formed()
                return
            except csv.Error as error:
                yield self._set_back(str(error))

    def _well_formed(self) -> Iterator[Record]:
        # The limit belongs to the process; another reader may have lowered it.
        csv.field_size_limit(LARGEST_CELL)
        held = self._held
        for values in csv.reader(self._lines(), delimiter=self.delimiter, strict=True):
            line = self._line
            self._line += len(held)
            held.clear()
            if len(values) > 1 or "".join(values).strip():
                yield Record(line, values)

    def _lines(self) -> Iterator[str]:
        held, size = self._held, 0
        for line in chain(self._drain(), self._stream):
            size = size + len(line) if held else len(line)
            held.append(line)
            if size > LARGEST_RECORD:
                raise csv.Error(f"it is longer than {LARGEST_RECORD:,} characters")
            yield line

    def _drain(self) -> Iterator[str]:
        while self._again:
            yield self._again.popleft()

    def _set_back(self, problem: str) -> BrokenRecord:
        line, (first, *rest) = self._line, self._held
        self._line += 1
        self._held.clear()
        self._again.extendleft(reversed(rest))
        # Without a limit, a file made of opened quotes would be read over and over.
        self._reread += sum(map(len, rest))
        if self._reread > MOST_REREAD:
            raise UnreadableFile(f"Too many quotes are not closed, the last on line {line}.")
        found = next((text for sign, text in _REASONS.items() if sign in problem), problem)
        return BrokenRecord(line, [first[:200].rstrip("\r\n")], f"{found}; {_QUOTES}")


def open_csv(path: Path) -> CsvFile:
    """Open a CSV file, having found out its encoding and delimiter, and read its header.

    Raises:
        UnreadableFile: it is no CSV text, or has no usable header, or no records.
    """
    encoding = _encoding(path)
    stream = path.open(encoding=encoding, newline="", buffering=1 << 18)
    try:
        return CsvFile(stream, encoding)
    except BaseException:
        stream.close()
        raise


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(3)
    marked = [name for bom, name in _BOMS.items() if head.startswith(bom)]
    # The whole file is decoded once before it is read: the first byte that is not UTF-8
    # may be its last one, and by then products would have been written with wrong names.
    for encoding in marked or ("utf-8", "cp1252"):
        if not (line := _undecodable(path, encoding)):
            return encoding
    expected = f"{marked[0]}, as it begins" if marked else "UTF-8 or cp1252 text"
    raise UnreadableFile(f"Line {line} of the file is not {expected}: {_SAVE}.")


def _undecodable(path: Path, encoding: str) -> int:
    """Return the first line that is not in the encoding; 0 when all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, run, chunk = 1, 0, b" "
    with path.open("rb") as stream:
        while chunk:
            chunk = stream.read(1 << 20)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            line += text.count("\n")
            end = max(text.rfind("\n"), text.rfind("\r"))
            run = len(text) + (run if end < 0 else -end - 1)
            if run > LARGEST_RECORD:
                found = f"Line {line} is longer than {LARGEST_RECORD:,} characters"
                raise UnreadableFile(f"{found}: a line per product was expected; {_SAVE}.")
    return 0


def _sniff(stream: TextIO) -> str:
    head = re.sub(r'"[^"]*"?', "", stream.read(1 << 16)).lstrip("\r\n ")
    stream.seek(0)
    return max(DELIMITERS, key=re.split(r"[\r\n]", head, maxsplit=1)[0].count)


def _header(record: Record | None) -> list[str]:
    if record is None:
        raise UnreadableFile("The file is empty: a header such as sku,name,price was expected.")
    where = f"The header on line {record.line}"
    if isinstance(record, BrokenRecord):
        raise UnreadableFile(f"{where} cannot be read: {record.reason}.")
    names = [name.strip("\ufeff \t\r\n\xa0") for name in record.values]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UnreadableFile(f"{where} names no column: write names such as sku,name,price there.")
    if "\0" in "".join(names):
        raise UnreadableFile(f"{where} holds NUL bytes, so the file is no plain text: {_SAVE}.")
    counts = Counter(map(str.casefold, filter(None, names)))
    if twice := [name for name, count in counts.items() if count > 1]:
        raise UnreadableFile(f"{where} names {twice[0]!r} more than once: rename or remove one.")
    return names
