"""The strings that the cells of a workbook share; they lie in a file, not in memory."""

import os
import re
import tempfile
from array import array
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from xml.parsers import expat

from bodega_imports.records import LARGEST_CELL
from bodega_imports.unpacking import Metered
from bodega_imports.xlsx_parts import Depth, broken_workbook, local, parse

_WINDOW = 1 << 16
_MOST_STRINGS = 10_000_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class _Found:
    """What a parser of shared strings has found; a phonetic hint is no part of a string."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.strings: list[str] = []
        self.texts: list[str] = []
        self.held: list[str] = []
        self._depth, self._phonetic = Depth(), False
        self.parser.StartElementHandler = self._root

    def _root(self, name: str, _: dict[str, str]) -> None:
        prefix = name.removesuffix(local(name))
        self._si, self._t, self._rph = prefix + "si", prefix + "t", prefix + "rPh"
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._depth.down()
        if name == self._t:
            self.texts.clear()
        elif name == self._si:
            self.held.clear()
        elif name == self._rph:
            self._phonetic = True

    def _end(self, name: str) -> None:
        self._depth.up()
        if name == self._t:
            if not self._phonetic:
                self.held += self.texts
        elif name == self._si:
            self.strings.append("".join(self.held))
        elif name == self._rph:
            self._phonetic = False


class Strings:
    """The strings that the cells of a workbook share, in a file without a name."""

    def __init__(self, source: Metered, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._ends = array("Q")
        self._size = self._from = 0
        self._window = b""
        self.get = lru_cache(maxsize=4096)(self._get)
        try:
            self._fill(source)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
        self._ends = array("Q")
        self.get.cache_clear()

    def _fill(self, source: Metered) -> None:
        found = _Found()
        for _ in parse(source, found.parser, found.texts):
            self._add(found.strings)
            found.strings.clear()
            if len(found.held) > 1 and sum(map(len, found.held)) > 2 * LARGEST_CELL:
                raise broken_workbook(f"a cell is longer than {LARGEST_CELL:,} characters")
        self._add(found.strings)
        self._file.flush()

    def _add(self, strings: list[str]) -> None:
        pieces = [unescaped(text).encode() for text in strings]
        self._file.write(b"".join(pieces))
        ends = list(accumulate(map(len, pieces), initial=self._size))
        self._size = ends[-1]
        self._ends.extend(ends[1:])
        if len(self._ends) > _MOST_STRINGS:
            raise broken_workbook(f"it has more than {_MOST_STRINGS:,} strings")

    def _get(self, number: str) -> str:
        """Return the string of a number, as a cell tells it."""
        at = int(number) if number.isdecimal() and len(number) < 10 else -1
        if not 0 <= at < len(self._ends):
            raise broken_workbook(f"it has no string {number[:20]!r}")
        start, end = self._ends[at - 1] if at else 0, self._ends[at]
        offset = start - self._from
        if not 0 <= offset <= offset + end - start <= len(self._window):
            if not 0 <= offset - len(self._window) < _WINDOW:
                return os.pread(self._file.fileno(), end - start, start).decode()
            # Most programs number strings in the order in which the cells name them.
            self._window = os.pread(self._file.fileno(), max(_WINDOW, end - start), start)
            self._from, offset = start, 0
        return self._window[offset : offset + end - start].decode()


def unescaped(text: str) -> str:
    """Return a text with its ``_x000D_`` as the characters that they stand for."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)
