"""Where pictures are kept: what a storage must be able to do, and which one is in use."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from bodega_media.sizes import Size
from bodega_sdk import folder, uuid7

#: How often a file is put into a folder that goes.
_TRIES = 20


class Missing(LookupError):
    """There is no such file in the storage."""


class Storage(ABC):
    """A place for files. What it raises but :class:`Missing` makes it unavailable (503).

    Names are made by the addon: letters, digits, ``.``, ``-`` and ``/``, at most 200
    characters, such as ``objects/3f/3fa9….jpg`` of a picture and ``sizes/3f/3fa9…/…`` of
    what was made of it. A name always stands for the same bytes.
    """

    @abstractmethod
    def put(self, name: str, source: IO[bytes], media: str) -> None:
        """Keep a file, durably when this returns; another of this name is replaced.

        Args:
            source: read from where it is to its end.
            media: its media type, e.g. ``image/jpeg``.
        """

    @abstractmethod
    def get(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            Missing: there is none of this name.
        """

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete a file, if there is one."""

    @abstractmethod
    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of the files that begin with a prefix, which ends in a slash."""

    def url(self, name: str, size: Size, expires: datetime | None) -> str | None:
        """Return where a browser gets a picture in a size from the storage itself.

        Args:
            name: of the picture as it was put.
            size: what is wanted of it; everything is None or empty for the picture as it is.
            expires: when the address must stop to work; None for a public picture.

        Returns:
            An absolute address; None, as here, when the shop shall serve it.
        """
        return None


class LocalStorage(Storage):
    """A folder below the shop's home, which is in its backups."""

    @property
    def _root(self) -> Path:
        return folder("media")

    def put(self, name: str, source: IO[bytes], media: str) -> None:
        """Keep a file; there is never half of one."""
        part = incoming()
        try:
            with part.open("wb") as file:
                copyfileobj(source, file, 2**20)
                file.flush()
                os.fsync(file.fileno())
            _move(part, self._path(name))
        finally:
            part.unlink(missing_ok=True)

    def get(self, name: str) -> bytes:
        """Return a file's bytes."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise Missing(name) from None

    def exists(self, name: str) -> bool:
        """Whether there is a file."""
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        """Delete a file, and its folder if that is empty now."""
        path = self._path(name)
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of the files below a folder."""
        top = self._root
        for root, _, files in os.walk(top / prefix):
            yield from (str((Path(root) / file).relative_to(top)) for file in files)

    def _path(self, name: str) -> Path:
        return self._root / name


def _move(part: Path, path: Path) -> None:
    """Put a file where it belongs; its folder may go meanwhile, with the last one that was there.

    Raises:
        FileNotFoundError: it goes again and again.
    """
    for number in range(_TRIES):
        with suppress(FileNotFoundError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
            return
        time.sleep(number / 1000)
    raise FileNotFoundError(path)


def incoming() -> Path:
    """Return the path of a new temporary file; whoever asks for it deletes it."""
    place = folder("media") / "incoming"
    place.mkdir(exist_ok=True)
    return place / f"{uuid7().hex}.part"
