"""Bundles: one zip file that holds a whole shop, sealed with a checksum of all its bytes.

``backup.json`` says what is inside. The zip file's comment is the seal: it ends with the
SHA-256 of every byte before it, so that no damage goes unseen, wherever it is.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import peewee
import redis

from bodega.errors import OperatorError
from bodega.tablefiles import TableFile

FORMAT = 1
INDEX = "backup.json"
SECRET_KEY = "secret.key"  # noqa: S105 - the name of a file.
_SEAL = b"bodega backup, sha256:"
_DIGITS = 64
#: Bytes of a file that are in memory at once.
PIECE = 1024 * 1024

#: Told what is being done, how many tables and files are done, and of how many.
Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, of: int) -> None:
    """Be told of progress and say nothing."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what the disk, the engine or Redis says into one sentence."""
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise OperatorError(
            f"cannot {what}{where}: {error.strerror or error}; "
            "see that its folder exists, is writable and has room"
        ) from error
    except (peewee.PeeweeException, redis.RedisError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OperatorError(f"cannot {what}: {said}") from error


def check_outside(home: Path, path: Path) -> None:
    """Refuse a bundle among the files that it holds."""
    if path.resolve().is_relative_to((home / "files").resolve()):
        raise OperatorError(
            f"{path} is among the shop's own files; keep backups outside {home / 'files'}"
        )


@dataclass(frozen=True, slots=True)
class StoredAddon:
    """An addon of the shop, as it was."""

    name: str
    version: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the shop; ``path`` is below the folder of files."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """What a bundle says about itself.

    Args:
        bodega: version of the kernel that wrote it.
        engine: ``sqlite`` or ``postgresql``; it is restored on the same one.
        created_at: ISO 8601, in UTC.
        generation: of the shop then.
        secret_key: whether the secret key is inside.
        migrations: owner → names of what had run; ``bodega`` is the kernel.
        schema: on SQLite (kind, name, statement) of everything there is.
    """

    bodega: str
    engine: str
    created_at: str
    generation: int
    secret_key: bool
    addons: tuple[StoredAddon, ...]
    migrations: Mapping[str, tuple[str, ...]]
    tables: tuple[TableFile, ...]
    files: tuple[StoredFile, ...]
    schema: tuple[tuple[str, str, str], ...] = ()

    @property
    def rows(self) -> int:
        """How many rows all tables have."""
        return sum(entry.rows for entry in self.tables)

    def as_json(self) -> dict[str, Any]:
        """Return what stands in ``backup.json``."""
        return {"format": FORMAT} | asdict(self)

    def summary(self) -> dict[str, Any]:
        """Return what an operator wants to know, as JSON."""
        return {
            "bodega": self.bodega,
            "engine": self.engine,
            "created_at": self.created_at,
            "generation": self.generation,
            "secret_key": self.secret_key,
            "addons": {addon.name: addon.version for addon in self.addons},
            "tables": len(self.tables),
            "rows": self.rows,
            "files": len(self.files),
        }


def write_index(bundle: zipfile.ZipFile, info: BackupInfo) -> None:
    """Write what a bundle says about itself, and leave room for the seal."""
    bundle.writestr(INDEX, json.dumps(info.as_json(), indent=1))
    bundle.comment = _SEAL + b"0" * _DIGITS


def seal(file: IO[bytes]) -> None:
    """Seal a bundle whose zip file is closed; it is on the disk when this returns."""
    end = file.seek(0, os.SEEK_END) - _DIGITS
    digest = _digest(file, end)
    file.seek(end)
    file.write(digest)
    file.flush()
    os.fsync(file.fileno())


def _digest(file: IO[bytes], end: int) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(min(PIECE, end - file.tell())):
        digest.update(piece)
    return digest.hexdigest().encode()


def check_seal(path: Path) -> None:
    """Read a bundle to its end and compare it with its seal.

    Raises:
        OperatorError: it cannot be read, is no bundle, is cut off or damaged.
    """
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END) - _DIGITS
            file.seek(max(0, end - len(_SEAL)))
            sealed = file.read(len(_SEAL)) == _SEAL
            whole = sealed and file.read() == _digest(file, end)
    except OSError as error:
        raise _unreadable(path, error) from None
    if not sealed:
        raise _no_bundle(path, "its end is not that of a whole one")
    if not whole:
        raise OperatorError(
            f"{path} is damaged: it is not what was written; take another copy of it"
        )


def _unreadable(path: Path, error: OSError) -> OperatorError:
    return OperatorError(f"cannot read {path}: {error.strerror}; name a file of 'bodega backup'")


def _no_bundle(path: Path, reason: str) -> OperatorError:
    return OperatorError(
        f"{path} is not a backup of Bodega, or it is cut off: {reason}; "
        "name a file of 'bodega backup' or take another copy of it"
    )


def read_info(path: Path) -> BackupInfo:
    """Read what a bundle says about itself; :func:`check_seal` tells whether it is whole.

    Raises:
        OperatorError: it cannot be read, or a newer Bodega wrote it.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            told = json.loads(bundle.read(INDEX))
            if len(bundle.comment) != len(_SEAL) + _DIGITS:
                raise ValueError("its end is missing")
        if told["format"] == FORMAT:
            return _info(told)
    except OSError as error:
        raise _unreadable(path, error) from None
    # A damaged zip file raises anything: zlib's errors, EOFError, NotImplementedError …
    except Exception as error:
        raise _no_bundle(path, str(error) or type(error).__name__) from None
    raise OperatorError(
        f"{path} has format {told['format']}, and this Bodega reads {FORMAT}; "
        f"restore it with Bodega {told.get('bodega', 'of the version that wrote it')}"
    )


def _info(told: dict[str, Any]) -> BackupInfo:
    del told["format"]
    lists = {
        "addons": tuple(StoredAddon(**item) for item in told["addons"]),
        "migrations": {owner: tuple(names) for owner, names in told["migrations"].items()},
        "tables": tuple(TableFile.from_json(item) for item in told["tables"]),
        "files": tuple(StoredFile(**item) for item in told["files"]),
        "schema": tuple((kind, name, statement) for kind, name, statement in told["schema"]),
    }
    return BackupInfo(**(told | lists))
