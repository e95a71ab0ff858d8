"""The watched folder: files that appear in it are imported, and put away when that has ended.

A file is taken by renaming it, which only one of several workers can do, to a name that
begins with the id that its import will have. Whatever a worker that dies leaves behind says by
that name what is to be done with it: an import of that id is begun once, however often it is
tried.
"""

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import peewee
import structlog

from bodega_imports import events
from bodega_imports.beginning import begin_import
from bodega_imports.models import Import
from bodega_sdk import Service, ServiceRun, folder, job_state, now, setting, transaction, uuid7

log = structlog.get_logger(__name__)
#: Seconds between two looks at the folder.
INTERVAL = 2.0
#: Seconds that a file must have stayed as it is before it is taken.
SETTLING = 5.0
#: Where files are while they are imported, and after.
TAKEN, DONE, FAILED = ".importing", "done", "failed"
#: How the names end of files that are taken; no other file is touched.
ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".xlsx", ".gz", ".zip")
# Files of one look at most.
_MOST = 1000
# Bytes of a file's name.
_LONGEST_NAME = 200
_SOURCE = "watched folder"


@dataclass(slots=True)
class _Seen:
    """A file as it looked, and since when it does."""

    name: str
    look: tuple[int, int]
    since: float


@dataclass
class Watcher:
    """One worker's watch over a folder.

    Args:
        path: of the folder.
        settling: seconds that a file must have stayed as it is.
    """

    path: Path
    settling: float = SETTLING
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _told: str = ""
    _links: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Put away what has been imported, and take what is ready; say once what is wrong."""
        try:
            self._prepare()
            self._go_on()
            for name in self._ready():
                self._take(name)
        except OSError as error:
            self._tell(f"the watched folder cannot be used: {error}")
        else:
            self._told = ""

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            log.warning("watched folder", path=str(self.path), problem=problem)
        self._told = problem

    def _prepare(self) -> None:
        if not self.path.is_absolute():
            raise NotADirectoryError("expected a whole path, such as /srv/imports")
        # Not the folder itself: a wrong path is to be noticed, and a disk may not be there yet.
        for name in (TAKEN, DONE, FAILED):
            (self.path / name).mkdir(exist_ok=True)

    # What is new.

    def _ready(self) -> list[str]:
        """Return the names of the files that have stopped changing."""
        seen: dict[int, _Seen] = {}
        ready, links = [], set()
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    links.add(entry.name)
                if not entry.is_file(follow_symlinks=False):
                    continue
                found = entry.stat(follow_symlinks=False)
                one = self._compare(entry.name, found)
                seen[found.st_ino] = one
                if self._may_take(one):
                    ready.append(entry.name)
                if len(seen) == _MOST:
                    break
        self._seen = seen
        self._refuse(links)
        return sorted(ready)

    def _refuse(self, links: set[str]) -> None:
        """Say once of each link that it is not followed, wherever it leads."""
        for name in sorted(links - self._links)[:_MOST]:
            log.warning("links are not imported", path=str(self.path), name=_shown(name))
        self._links = links

    def _compare(self, name: str, found: os.stat_result) -> _Seen:
        """Return how a file looks, with since when it has looked so."""
        before, look = self._seen.get(found.st_ino), (found.st_size, found.st_mtime_ns)
        if before is None or before.look != look:
            return _Seen(name, look, time.monotonic())
        if before.name != name and before.name.endswith(".part"):
            # Whoever renames it so says that it is whole.
            return _Seen(name, look, float("-inf"))
        return _Seen(name, look, before.since)

    def _may_take(self, one: _Seen) -> bool:
        if not one.name.lower().endswith(ENDINGS):
            return False
        return time.monotonic() - one.since >= self.settling

    def _take(self, name: str) -> None:
        taken = self.path / TAKEN / f"{uuid7()}-{_short(name)}"
        try:
            os.rename(self.path / name, taken)
        except FileNotFoundError:
            return  # Another worker was faster.
        _begin(taken)

    # What was taken.

    def _go_on(self) -> None:
        for taken in sorted((self.path / TAKEN).iterdir()):
            import_id = _id_of(taken)
            if import_id is None:
                continue
            run = Import.find(import_id)
            if run is None:
                _begin(taken)
            elif ended := _ended(run):
                _put_away(taken, self.path / ended)


def _short(name: str) -> str:
    """Return a name that is still one with an id before it."""
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[1:]
    return name


def _id_of(taken: Path) -> UUID | None:
    try:
        return UUID(taken.name[:36])
    except ValueError:
        return None


def _ended(run: Import) -> str:
    """Return where the file of an import belongs; nowhere else before it has ended."""
    if run.finished_at is not None:
        return DONE if run.status == "completed" else FAILED
    state = job_state(run.id)
    return FAILED if state is None or state.status in ("dead", "cancelled") else ""


def _put_away(taken: Path, place: Path) -> None:
    with suppress(FileNotFoundError):  # Another worker was faster.
        os.rename(taken, place / taken.name)


def _begin(taken: Path) -> None:
    """Begin the import of a file that was taken, or write down why not."""
    import_id, name = UUID(taken.name[:36]), _shown(taken.name[37:])
    part = folder("imports") / f"{uuid7().hex}.part"
    # Should another worker have begun it a moment ago, then this one breaks off.
    with suppress(FileNotFoundError, BlockingIOError, peewee.IntegrityError):
        try:
            with _opened(taken) as source:
                size = _copy(source, part)
                with transaction():
                    if Import.find(import_id) is None:
                        begin_import(name, size, "folder", part.rename, import_id=import_id,
                                     source=_SOURCE)  # fmt: skip
        except _Unusable as error:
            _write_down(import_id, name, str(error))
        finally:
            part.unlink(missing_ok=True)


class _Unusable(Exception):
    """A file that is not imported; the message says why."""


def _shown(name: str) -> str:
    """Return a name as it can be stored, whichever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")


@contextmanager
def _opened(taken: Path) -> Iterator[BinaryIO]:
    """Open a file that was taken, for this worker alone.

    Raises:
        FileNotFoundError, BlockingIOError: another worker has put it away, or has it.
        _Unusable: it cannot be opened, or is something else than a file.
    """
    try:
        # Neither a link nor a pipe that was put in its place is opened.
        handle = os.open(taken, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _Unusable(f"The file cannot be read: {error.strerror}.") from None
    with os.fdopen(handle, "rb") as source:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _Unusable("It is no plain file.")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield source


def _copy(source: BinaryIO, part: Path) -> int:
    """Copy a file, which may lie on another disk, and return its size."""
    largest: int = setting("imports.largest_mb") * 1_000_000
    size = os.fstat(source.fileno()).st_size
    if not size:
        raise _Unusable("The file is empty.")
    if size > largest:
        raise _Unusable(f"The file has more than {largest // 1_000_000} MB.")
    with part.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return part.stat().st_size


def _write_down(import_id: UUID, name: str, message: str) -> None:
    """Write an import down that failed before it began."""
    with transaction():
        if Import.find(import_id) is None:
            run = Import.create(
                id=import_id, filename=name[:255], size=0, started_by="folder", source=_SOURCE,
                status="failed", message=message, finished_at=now(),
            )  # fmt: skip
            events.publish(events.import_failed, run)


def watch(service: ServiceRun) -> None:
    """Watch the folder that the setting names, if it names one."""
    path = setting("imports.watched_folder").strip()
    if not path:
        return
    watcher = Watcher(Path(path), SETTLING)
    while not service.wait(INTERVAL):
        watcher.look()


SERVICE = Service("imports.watcher", watch)
