"""The parts of a workbook (.xlsx): a zip of XML, from whoever sends it.

No library of those that are kept up reads 500,000 rows below 128 MB: they hold all cells
or all strings in memory. Strings lie in a file here. An XML part may hold no DTD, and is
read in pieces whose nesting, names and tokens are limited, as its unpacked bytes are.
"""

import posixpath
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from bodega_imports.records import LARGEST_CELL, UnreadableFile
from bodega_imports.unpacking import Metered, member_of

_PIECE = 1 << 16
_LARGEST_TOKEN = 1 << 20
_MOST_NAMES = 5_000
_DEEPEST = 64
#: Called with the name of an element and its attributes.
Started = Callable[[str, dict[str, str]], None]


def broken_workbook(what: str) -> UnreadableFile:
    """Return what to raise at a workbook that no program writes so."""
    remedy = "open it and save it again as .xlsx, or as 'CSV UTF-8'"
    return UnreadableFile(f"The workbook is broken ({what}): {remedy}.")


def local(name: str) -> str:
    """Return an element's name without its prefix."""
    return name.rpartition(":")[2]


def parse(source: Metered, parser: Any, texts: list[str] | None = None) -> Iterator[None]:
    """Feed a part to a parser that has its handlers, and pause after each piece.

    Args:
        texts: where the parser puts text; it may not grow without end.

    Raises:
        UnreadableFile: it is no XML, or of a kind that fills the memory.
    """
    parser.buffer_text, parser.StartDoctypeDeclHandler = True, _refuse_dtd
    if texts is not None:
        parser.CharacterDataHandler = texts.append
    while True:
        piece = source.read(_PIECE)
        try:
            parser.Parse(piece, not piece)
        except (expat.ExpatError, LookupError, ValueError) as error:
            # The latter two: its encoding is not known, or not one for XML.
            raise broken_workbook(f"its XML: {str(error)[:150]}") from None
        if not piece:
            # Parser and handlers hold each other; what they hold would wait for the collector.
            parser.StartElementHandler = parser.EndElementHandler = None
            return
        long = source.count - parser.CurrentByteIndex > _LARGEST_TOKEN
        if long or len(parser.intern) > _MOST_NAMES:
            raise broken_workbook("its XML has a token or names without end")
        if texts and len(texts) > 1 and sum(map(len, texts)) > 2 * LARGEST_CELL:
            raise broken_workbook(f"a cell is longer than {LARGEST_CELL:,} characters")
        yield


def _refuse_dtd(*_: object) -> None:
    raise broken_workbook("its XML has a DTD")


class Depth:
    """How deep elements lie in each other, where that matters to nothing but the memory."""

    def __init__(self) -> None:
        self._depth = 0

    def down(self) -> None:
        """Go into an element."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise broken_workbook("its XML is nested without end")

    def up(self) -> None:
        """Come out of an element."""
        self._depth -= 1


class Parts:
    """The parts of a workbook, by their names without regard to case."""

    def __init__(self, archive: zipfile.ZipFile, largest: int) -> None:
        self._archive, self._largest = archive, largest
        self._infos = {_key(info.filename): info for info in archive.infolist()}

    def __contains__(self, path: str) -> bool:
        return _key(path) in self._infos

    def size(self, path: str) -> int:
        """Return how many bytes a part says that it has."""
        return self._infos[_key(path)].file_size

    def open(self, path: str) -> Metered:
        """Return the bytes of a part.

        Raises:
            UnreadableFile: there is no such part.
        """
        if path not in self:
            raise broken_workbook(f"it has no {path[:100]}")
        return member_of(self._archive, self._infos[_key(path)], self._largest)

    def walk(self, path: str, started: Started) -> None:
        """Call a function with each element of a part, its name without a prefix."""
        parser, depth = expat.ParserCreate(), Depth()

        def start(name: str, attributes: dict[str, str]) -> None:
            depth.down()
            started(local(name), attributes)

        parser.StartElementHandler = start
        parser.EndElementHandler = lambda name: depth.up()
        for _ in parse(self.open(path), parser):
            pass

    def related(self, path: str) -> dict[str, tuple[str, str]]:
        """Return kind and path of the parts that a part relates to, by the id of the relation."""
        folder, name = posixpath.split(path)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, tuple[str, str]] = {}

        def started(name: str, given: dict[str, str]) -> None:
            if name == "Relationship" and len(found) < 10_000:
                target = posixpath.normpath(posixpath.join("/", folder, given.get("Target", "")))
                found[given.get("Id", "")] = local_of(given.get("Type", "")), target.lstrip("/")

        if relations in self:
            self.walk(relations, started)
        return found


def _key(path: str) -> str:
    return path.replace("\\", "/").lstrip("/").lower()


def local_of(address: str) -> str:
    """Return the last part of the address that names a kind of relation."""
    return address.rpartition("/")[2]
