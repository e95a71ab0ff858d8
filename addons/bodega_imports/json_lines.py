"""Reads objects of JSON: one on each line, or those of one array, in constant memory.

The file is read twice: its header is the union of the keys of all objects.
"""

from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import Any, BinaryIO, NoReturn

from bodega_imports.decoding import encoding_of
from bodega_imports.json_values import DECODER, EXPECTED, cells_of, told
from bodega_imports.records import (
    LARGEST_RECORD,
    MOST_COLUMNS,
    BrokenRecord,
    Reading,
    Record,
    UnreadableFile,
    checked_names,
    plain_name,
    too_many_columns,
)

_BLOCK = 1 << 18
_SPACE = " \t\r\n"
#: An object that was read: the line it starts on, its cells; or why there are none.
_Read = tuple[int, dict[str, str] | str, str]


class JsonFile:
    """An open file of JSON objects; see :class:`~bodega_imports.records.Table`.

    Args:
        stream: of bytes, which begins with the file and can be rewound; it is not closed.
        array: whether it is one array of objects, and not an object per line.
        reading: what need not be found out.
    """

    kind, delimiter = "jsonl", ""

    def __init__(self, stream: BinaryIO, *, array: bool, reading: Reading | None = None) -> None:
        self._bytes, self._size = stream, stream.seek(0, 2)
        longest = None if array else LARGEST_RECORD
        self.encoding = encoding_of(stream, (reading or Reading()).encoding, longest)
        self._text = TextIOWrapper(stream, self.encoding)
        self._array = array
        self._keys = _keys(self._objects())
        self.header = checked_names(self._keys, "The first object")

    def __iter__(self) -> Iterator[Record]:
        keys = self._keys
        for line, found, start in self._objects():
            if isinstance(found, str):
                yield BrokenRecord(line, [start], found)
            else:
                yield Record(line, [found.get(name, "") for name in keys])

    @property
    def position(self) -> tuple[int, int]:
        """Bytes read, and bytes of all."""
        return self._bytes.tell(), self._size

    def _objects(self) -> Iterator[_Read]:
        self._text.seek(0)
        return _of_array(self._text) if self._array else _of_lines(self._text)


def _keys(objects: Iterable[_Read]) -> list[str]:
    names: dict[str, None] = {}
    none, reason = True, "it holds no object"
    for line, found, _ in objects:
        if isinstance(found, str):
            reason = f"line {line}: {found}"
            continue
        none = False
        if not names.keys() >= found.keys():
            names.update(dict.fromkeys(found))
            if len(names) > MOST_COLUMNS:
                raise too_many_columns(f"The file, up to line {line},", len(names))
    if none:
        raise UnreadableFile(f"The file cannot be read as JSON Lines ({reason}); {EXPECTED}.")
    return [name for name in names if plain_name(name)]


def _of_lines(lines: Iterable[str]) -> Iterator[_Read]:
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            yield number, cells_of(DECODER.decode(line)), ""
        except (ValueError, RecursionError) as error:
            yield number, told(error), line[:200].rstrip()


def _of_array(text: TextIOWrapper) -> Iterator[_Read]:
    window = _Window(text)
    window.expect("[")
    while not window.at("]"):
        line, start = window.line, window.shown()
        value = window.value()
        try:
            yield line, cells_of(value), ""
        except (ValueError, RecursionError) as error:
            yield line, told(error), start
        if not window.at("]"):
            window.expect(",")
    window.expect("]")
    if window.shown():
        window.refuse("text follows the end of the array")


class _Window:
    """The part of a text that is needed to read the next value."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._source, self._held, self._from, self.line = text, "", 0, 1

    def at(self, sign: str) -> bool:
        """Whether the next character that is no blank is this one."""
        while True:
            self._skip()
            if self._from < len(self._held):
                return self._held.startswith(sign, self._from)
            if not self._more(_BLOCK):
                return False

    def expect(self, sign: str) -> None:
        """Go on behind a character."""
        if not self.at(sign):
            self.refuse(f"{sign!r} was expected")
        self._from += 1

    def shown(self) -> str:
        """Return how the next value begins."""
        self.at("")
        return self._held[self._from : self._from + 200].split("\n")[0].strip()

    def value(self) -> Any:
        """Return the next value."""
        step = _BLOCK
        while True:
            try:
                value, end = DECODER.raw_decode(self._held, self._from)
            except ValueError as error:
                # It may only be cut off. Twice as much each time, or long ones took squares.
                step *= 2
                if len(self._held) - self._from > LARGEST_RECORD or not self._more(step):
                    self.refuse(told(error))
            except RecursionError as error:
                self.refuse(told(error))
            else:
                if end == len(self._held) and self._more(step):
                    continue  # A number may be cut off unseen.
                self.line += self._held.count("\n", self._from, end)
                self._from = end
                return value

    def refuse(self, reason: str) -> NoReturn:
        """Give the file up."""
        remedy = "mend it, or write an object per line (JSON Lines)"
        raise UnreadableFile(
            f"The array of JSON is broken on line {self.line} ({reason}): {remedy}."
        )

    def _skip(self) -> None:
        held, at = self._held, self._from
        while at < len(held) and held[at] in _SPACE:
            at += 1
        self.line += held.count("\n", self._from, at)
        self._from = at

    def _more(self, size: int) -> bool:
        piece = self._source.read(size)
        self._held, self._from = self._held[self._from :] + piece, 0
        return bool(piece)
