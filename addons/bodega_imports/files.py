"""Opening a file of products, whatever it is: one function that gives records."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from bodega_imports.csv_reader import CsvFile
from bodega_imports.json_lines import JsonFile
from bodega_imports.records import Reading, Table, UnreadableFile
from bodega_imports.signatures import HEAD, kind_at
from bodega_imports.unpacking import (
    LARGEST_UNPACKED,
    archive_in,
    gzip_in,
    member_of,
    only_file,
    unpacked,
)
from bodega_imports.xlsx_reader import XlsxFile

_OFFICE = "save it as .xlsx or as 'CSV UTF-8' and try again"
# A member that tells of which program an archive is the file, and what that is.
_DOCUMENTS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "word/document.xml": "a text document (.docx)",
    "ppt/presentation.xml": "a presentation (.pptx)",
    "index/document.iwa": "a document of Apple's programs (.numbers)",
    "meta-inf/manifest.xml": "an OpenDocument file (.ods)",
    "meta-inf/manifest.mf": "a program (Java)",
}


@contextmanager
def open_file(
    path: Path,
    filename: str = "",
    *,
    options: Reading | None = None,
    largest: int = LARGEST_UNPACKED,
) -> Iterator[Table]:
    """Open a file of products: CSV, XLSX or JSON Lines, as it is or in a gzip or zip.

    What it is, is told by its bytes. What is unpacked lies in the folder of the file, has
    no name, and is gone when the file is closed or the process dies.

    Args:
        filename: as the user calls it; it never becomes a path.
        options: how to read it, where that should not be found out.
        largest: bytes at most that it may be unpacked to.

    Raises:
        UnreadableFile: it is nothing of that, or broken, or has no header or no records;
            also raised while it is iterated over.
    """
    with ExitStack() as stack:
        opening = _Opening(stack, path.parent, options or Reading(), largest)
        yield opening.open(stack.enter_context(path.open("rb")), filename)


class _Opening:
    """A file that is being opened, and what must be closed after it."""

    def __init__(self, stack: ExitStack, folder: Path, reading: Reading, largest: int) -> None:
        self._stack, self._folder = stack, folder
        self._reading, self._largest = reading, largest

    def open(self, stream: BinaryIO, filename: str, *, inside: bool = False) -> Table:
        kind = kind_at(stream.read(HEAD), self._reading.encoding)
        size = stream.seek(0, 2)
        stream.seek(0)
        if kind == "zip":
            return self._of_archive(stream, inside)
        if kind == "gzip":
            self._refuse_nested(inside)
            source = gzip_in(stream, size, self._largest)
            name = filename.removesuffix(".gz")
            return self.open(self._kept(unpacked(source, self._folder)), name, inside=True)
        if kind == "csv":
            return CsvFile(stream, filename, self._reading)
        return JsonFile(stream, array=kind == "array", reading=self._reading)

    def _of_archive(self, stream: BinaryIO, inside: bool) -> Table:
        archive = self._stack.enter_context(archive_in(stream))
        names = {info.filename.replace("\\", "/").lower() for info in archive.infolist()}
        if "xl/workbook.xml" in names or any(_is_workbook(name) for name in names):
            book = XlsxFile(archive, self._folder, self._reading.sheet, self._largest)
            self._stack.callback(book.close)
            return book
        _refuse_document(names)
        self._refuse_nested(inside)
        info = only_file(archive)
        file = self._kept(unpacked(member_of(archive, info, self._largest), self._folder))
        return self.open(file, info.filename, inside=True)

    def _kept(self, file: BinaryIO) -> BinaryIO:
        return self._stack.enter_context(file)

    def _refuse_nested(self, inside: bool) -> None:
        if inside:
            raise UnreadableFile(
                "The archive holds another archive: unpack it and send the file in it."
            )


def _is_workbook(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _refuse_document(names: set[str]) -> None:
    for member, what in _DOCUMENTS.items():
        if member in names:
            raise UnreadableFile(f"The file is {what}: {_OFFICE}.")
