"""What every reader of files gives: a header, then records; and what all of them refuse."""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

#: Characters of the largest cell that is read.
LARGEST_CELL = 1 << 20
#: Characters of the largest record, and of the longest physical line.
LARGEST_RECORD = 1 << 24
#: Columns of a file at most.
MOST_COLUMNS = 1_000
#: What to do with a table that cannot be read.
SAVE = "save it as 'CSV UTF-8' and try again"

_SPELLED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_ENCODINGS = re.compile(
    r"utf-8|utf-8-sig|utf-(16|32)(-[lb]e)?|ascii|cp\d+|iso8859-\d+|koi8-[rut]|mac-\w+|tis-620"
    r"|gb\w+|hz|big5\w*|shift_jis\w*|euc_\w+|johab"
)


class UnreadableFile(Exception):
    """The file cannot be read; the message says what was found, expected and to be done."""


class Record(NamedTuple):
    """One record; ``line`` is the line (from 1) on which it starts, a sheet's row."""

    line: int
    values: list[str]


class BrokenRecord(Record):
    """A record that cannot be read; ``values`` holds the start of its first line."""

    reason: str

    def __new__(cls, line: int, values: list[str], reason: str) -> "BrokenRecord":
        broken = super().__new__(cls, line, values)
        broken.reason = reason
        return broken


class BadReading(ValueError):
    """An option of reading cannot be used.

    Attributes:
        field: its name.
        found: its value.
    """

    def __init__(self, field: str, found: str, message: str) -> None:
        super().__init__(message)
        self.field, self.found = field, found


@dataclass(frozen=True)
class Reading:
    """How to read a file, where it should not be found out; empty means: find out.

    Args:
        delimiter: of a CSV file: one character, or ``tab``.
        encoding: of a file of text, e.g. ``shift_jis``.
        sheet: name or number (from 1) of a workbook's sheet.

    Raises:
        BadReading: one of them cannot be used.
    """

    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "delimiter", _delimiter(self.delimiter))
        object.__setattr__(self, "encoding", _encoding(self.encoding))


def _delimiter(given: str) -> str:
    one = _SPELLED.get(given.lower(), given)
    if len(one) > 1 or one in set('"\r\n\0\ufeff') or "\ud800" <= one <= "\udfff":
        expected = "Expected one character, no quote and no line end, or 'tab'."
        raise BadReading("delimiter", given, expected)
    return one


def _encoding(given: str) -> str:
    try:
        name = codecs.lookup(given.strip()).name if given.strip() else ""
    except (LookupError, ValueError):
        name = "-"
    if name and not _ENCODINGS.fullmatch(name):
        expected = "Expected an encoding such as utf-8, utf-16, cp1252, latin-1 or shift_jis."
        raise BadReading("encoding", given, expected)
    return name


class Table(Protocol):
    """An open file of records; iterate over it once, for its records without the header.

    Iterating may raise :class:`UnreadableFile` at any record: the file is broken there.

    Attributes:
        kind: ``csv``, ``xlsx`` or ``jsonl``.
        header: the names of the columns, stripped; unnamed ones at the end are left out.
        encoding: of its text.
        delimiter: of a CSV file, else empty.
    """

    kind: str
    header: list[str]
    encoding: str
    delimiter: str

    def __iter__(self) -> Iterator[Record]: ...

    @property
    def position(self) -> tuple[int, int]:
        """Bytes read, and bytes of all: of the file as it was unpacked."""
        ...


def header_of(record: Record | None) -> list[str]:
    """Return the names of the columns from the record that has them.

    Raises:
        UnreadableFile: there is none, or it cannot be one.
    """
    if record is None:
        raise UnreadableFile("The file is empty: a header such as sku,name,price was expected.")
    where = f"The header on line {record.line}"
    if isinstance(record, BrokenRecord):
        raise UnreadableFile(f"{where} cannot be read: {record.reason}.")
    return checked_names(record.values, where)


def checked_names(values: Sequence[str], where: str) -> list[str]:
    """Return names of columns, stripped.

    Raises:
        UnreadableFile: none, too many, not text, or one of them twice.
    """
    names = [plain_name(name) for name in values]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UnreadableFile(f"{where} names no column: write names such as sku,name,price there.")
    if len(names) > MOST_COLUMNS:
        raise too_many_columns(where, len(names))
    if "\0" in "".join(names):
        raise UnreadableFile(f"{where} holds NUL bytes, so the file is no plain text: {SAVE}.")
    counts = Counter(map(str.casefold, filter(None, names)))
    if twice := [name for name, count in counts.items() if count > 1]:
        found = twice[0][:100]
        raise UnreadableFile(f"{where} names {found!r} more than once: rename or remove one.")
    return names


def plain_name(name: str) -> str:
    """Return the name of a column without what one does not see around it."""
    return name.strip("\ufeff \t\r\n\xa0")


def too_many_columns(where: str, found: int) -> UnreadableFile:
    """Return what to raise at a table that is too wide."""
    limit = f"at most {MOST_COLUMNS:,} are read: remove those that products do not need"
    return UnreadableFile(f"{where} has {found:,} columns; {limit}.")
