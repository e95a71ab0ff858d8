"""Unpacks a file that was sent packed, as a stream, with limits that no bomb gets past.

The unpacked file lies beside the packed one and has no name: however the process ends,
nothing of it remains.
"""

import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from bodega_imports.records import UnreadableFile

#: Bytes that a packed file may be unpacked to, where no setting says so.
LARGEST_UNPACKED = 2_000_000_000
#: How many times larger than packed a file may be, once it is above :data:`UNSUSPECTED`.
LARGEST_RATIO = 200
UNSUSPECTED = 50_000_000

_PIECE = 1 << 18
_PACKED_PIECE = 1 << 14
_MOST_MEMBERS = 100_000
#: Bytes of an archive's table of contents at most: zipfile reads it in one piece.
_LARGEST_CONTENTS = 1 << 20
_CLUTTER = (".", "Thumbs.db", "desktop.ini")
_REMEDY = "send the file itself, in parts if it is large"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


class Readable(Protocol):
    """What gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        ...


class Metered:
    """Bytes as they are unpacked, until there are too many of them.

    Args:
        source: gives them.
        packed: bytes that the packed file has.
        largest: bytes at most, unpacked.
    """

    def __init__(self, source: Readable, packed: int, largest: int) -> None:
        self._source = source
        self._most = min(largest, max(UNSUSPECTED, packed * LARGEST_RATIO))
        self._largest = largest
        self.count = 0

    def read(self, size: int = _PIECE) -> bytes:
        """Return up to so many bytes.

        Raises:
            UnreadableFile: there are more bytes than may be, or they are broken.
        """
        try:
            piece = self._source.read(size)
        except _BROKEN as error:
            raise broken(error) from None
        self.count += len(piece)
        if self.count > self._most:
            raise UnreadableFile(self._refusal())
        return piece

    def _refusal(self) -> str:
        if self._most == self._largest:
            return f"The file unpacks to more than {self._largest // 1_000_000:,} MB: {_REMEDY}."
        return f"The file unpacks to more than {LARGEST_RATIO} times its size: {_REMEDY}."


def broken(error: Exception) -> UnreadableFile:
    """Return what to raise when packed bytes cannot be unpacked."""
    told = str(error)[:150] or "it ends too early"
    return UnreadableFile(f"The file is packed and broken ({told}): pack it anew and try again.")


class _Sparing:
    """A file that is read in small pieces only, whatever its contents claim."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.seek, self.tell, self.seekable = raw.seek, raw.tell, raw.seekable

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes."""
        if size > _LARGEST_CONTENTS:
            raise zipfile.BadZipFile("its table of contents is too large")
        # Without a size it wants what is behind the table of contents, which is short.
        return self._raw.read(_LARGEST_CONTENTS if size < 0 else size)


def archive_in(raw: BinaryIO) -> zipfile.ZipFile:
    """Open a zip file that lies in an open file.

    Raises:
        UnreadableFile: it is broken.
    """
    try:
        return zipfile.ZipFile(_Sparing(raw))
    except (*_BROKEN, ValueError, OverflowError) as error:
        raise broken(error) from None


def member_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, largest: int) -> Metered:
    """Return the bytes of a member of an archive.

    Raises:
        UnreadableFile: it is encrypted or packed in a way that is not known.
    """
    if info.flag_bits & 1:
        raise UnreadableFile(f"The archive has a password: pack it without one, or {_REMEDY}.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        expected = "pack it by 'deflate', which every program knows"
        raise UnreadableFile(f"The archive is packed in an unusual way: {expected}.")
    try:
        return Metered(archive.open(info), info.compress_size, largest)
    except (*_BROKEN, OSError, ValueError) as error:
        raise broken(error) from None


def only_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file that an archive holds.

    Raises:
        UnreadableFile: there is none, or several.
    """
    found = [info for info in archive.infolist() if _is_data(info.filename)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnreadableFile("The archive holds no file: pack the file of products and try again.")
    names = ", ".join(info.filename[:50] for info in found[:3])
    more = ", …" if found[3:] else ""
    raise UnreadableFile(
        f"The archive holds {len(found):,} files ({names}{more}): send one of them."
    )


def _is_data(path: str) -> bool:
    # Programs put files of their own beside those that people chose.
    name = path.rpartition("/")[2]
    return bool(name) and not path.startswith("__MACOSX/") and not name.startswith(_CLUTTER)


class _Gzip:
    """The bytes of a gzip file; unlike gzip's own reader it reads headers at the speed of C."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._members, self._packed = raw, 1, b""
        self._zlib = zlib.decompressobj(wbits=31)

    def read(self, size: int = _PIECE, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        while True:
            self._packed = self._packed or self._raw.read(_PACKED_PIECE)
            if self._zlib.eof and not self._begin_member():
                return b""
            if not self._packed:
                raise EOFError("it ends too early")
            piece = self._zlib.decompress(self._packed, size)
            self._packed = self._zlib.unused_data or self._zlib.unconsumed_tail
            if piece:
                return piece

    def _begin_member(self) -> bool:
        """Go on behind the end of a member, of which a file may have several."""
        self._packed = self._packed.lstrip(b"\0")
        while not self._packed and (more := self._raw.read(_PACKED_PIECE)):
            self._packed = more.lstrip(b"\0")
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise EOFError(f"it has more than {_MOST_MEMBERS:,} members")
        self._zlib = zlib.decompressobj(wbits=31)
        return bool(self._packed)


def gzip_in(raw: BinaryIO, packed: int, largest: int) -> Metered:
    """Return the bytes of a gzip file."""
    return Metered(_Gzip(raw), packed, largest)


def unpacked(source: Metered, folder: Path) -> BinaryIO:
    """Write the bytes into a file without a name, rewound; who opens it closes it."""
    target: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    try:
        for piece in _pieces(source):
            target.write(piece)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


def _pieces(source: Metered) -> Iterable[bytes]:
    while piece := source.read(_PIECE):
        yield piece
