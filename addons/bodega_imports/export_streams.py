"""What the bytes of an export run through on their way into its file: a block at a time.

A block is counted, encoded, packed and hashed, and is written; nothing waits in memory, and
whoever makes the bytes makes no more before they are written.
"""

import codecs
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

#: Bytes that are handled at once.
BLOCK = 1 << 18
#: Members of archives have one date: the same products make the same file.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


class Unencodable(Exception):
    """A character is not in the encoding; the message says which."""


class _HashedFile(io.RawIOBase):
    """A new file that knows its hash and size."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self.hash, self.size = hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        data = memoryview(block)
        self.hash.update(data)
        self.size += len(data)
        # An unbuffered file takes what it can.
        left = data
        while left:
            left = left[self._file.write(left) :]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class Records:
    """Counts the records of CSV or of lines: line feeds that stand in no quotes."""

    def __init__(self, quoted: bool) -> None:
        self.count = 0
        self._quoted, self._inside = quoted, False

    def take(self, block: bytes) -> None:
        """Count those that end in a block."""
        if not self._quoted or (b'"' not in block and not self._inside):
            self.count += block.count(b"\n")
            return
        pieces = block.split(b'"')
        self.count += sum(piece.count(b"\n") for piece in pieces[self._inside :: 2])
        self._inside ^= len(pieces) % 2 == 0


class Blocks(io.RawIOBase):
    """Takes UTF-8 in blocks: counts its records, and passes it on in its encoding.

    Args:
        to: takes the encoded bytes.
        encoding: one of Python's, e.g. ``utf-8``.
        records: what counts.
        tick: called with every block, before it is written.
    """

    def __init__(
        self, to: BinaryIO, encoding: str, records: Records, tick: Callable[[], None]
    ) -> None:
        self._to, self._records, self._tick = to, records, tick
        self._encoding = encoding
        self._plain = encoding == "utf-8"
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._encoder = codecs.getincrementalencoder(encoding)()

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        data = bytes(block)
        self._records.take(data)
        self._tick()
        self._to.write(data if self._plain else self._encoded(data))
        return len(data)

    def _encoded(self, data: bytes) -> bytes:
        try:
            return self._encoder.encode(self._decoder.decode(data))
        except UnicodeEncodeError as error:
            found = error.object[error.start]
            raise Unencodable(
                f"{self._encoding} has no {found!r} (U+{ord(found):04X}), which is in about row "
                f"{self._records.count:,}: choose the encoding utf-8 or utf-8-sig."
            ) from None


class _Gzip(io.RawIOBase):
    """Packs what it is given; there is neither a name nor a date in it."""

    def __init__(self, to: io.RawIOBase) -> None:
        self._to, self._packer = to, zlib.compressobj(6, zlib.DEFLATED, 31)

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self._to.write(self._packer.compress(block))
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._to.write(self._packer.flush())
        super().close()


class _Zip(io.RawIOBase):
    """Packs what it is given as the one member of an archive."""

    def __init__(self, to: Any, name: str) -> None:
        self._archive = zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED)
        about = zipfile.ZipInfo(name, _NO_DATE)
        about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        self._member = self._archive.open(about, "w", force_zip64=True)

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self._member.write(block)
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._member.close()
            self._archive.close()
        super().close()


class Packed:
    """A new file, packed or not.

    Attributes:
        to: what takes its bytes.
    """

    def __init__(self, path: Path, compression: str, member: str) -> None:
        self._file: Any = _HashedFile(path)
        self.to: Any = self._file
        if compression == "gzip":
            self.to = _Gzip(self._file)
        elif compression == "zip":
            self.to = _Zip(self._file, member)

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return int(self._file.size)

    def finish(self) -> str:
        """Write what is left; return the hash of the whole file."""
        self.to.close()
        return str(self._file.hash.hexdigest())

    def drop(self) -> None:
        """Close the file as it is."""
        self._file.close()
