"""What is revoked: sessions whose access tokens are refused before they expire.

Every process keeps the list in memory and asks, on each request, a file whether it has
changed: eight bytes, which whoever revokes writes anew after the commit. So all processes
of a host refuse from that moment on, without reading the database; those of another host,
which has a file of its own, from their next look at the table (several a second).
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import peewee

from bodega.database.tables import RevocationRow, SigningKey
from bodega.security.tokens import LEEWAY
from bodega_sdk.models import now

_ALL = 2**62


class Signal:
    """Eight bytes in a file that change when there is news."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> bytes:
        """Return what stands there."""
        return os.pread(self._file, 8, 0)

    def give(self) -> None:
        """Change it."""
        os.pwrite(self._file, time.time_ns().to_bytes(8, "big"), 0)


class Revocations:
    """The list, as one process knows it.

    Args:
        database: the shop's.
        folder: where the signal's file lies, shared by the processes of this host.
        changed: called after each reading of the list.
    """

    def __init__(self, database: Any, folder: Path, changed: Callable[[], None]) -> None:
        self._database = database
        self._path = folder / "revocations"
        self._changed = changed
        self._lock = threading.Lock()
        self._signal: Signal | None = None
        self._seen: bytes | None = None
        self._mark: tuple[int, ...] | None = None
        self._refused: Mapping[str, int] = {}
        #: How often the list was read.
        self.readings = 0

    def refuses(self, session: str, version: int) -> bool:
        """Whether tokens of a version of a session are refused."""
        self.keep_up()
        return version < self._refused.get(session, 0)

    def keep_up(self) -> None:
        """Read the list again if the signal has changed."""
        if self._file().read() == self._seen:
            return
        with self._lock:
            # The signal is read first: what comes later changes it again.
            seen = self._file().read()
            if seen != self._seen:
                self._read()
                self._seen = seen

    def look(self) -> None:
        """Read the list again if the table has changed; for the news of other hosts."""
        if self._mark is not None and self._mark != _mark():
            with self._lock:
                self._read()

    def add(self, session: str, version: int | None, until: datetime) -> None:
        """Refuse a session's tokens from the commit of the open transaction on."""
        # Tokens are read a little longer than they are good.
        RevocationRow.create(session=session, version=version, until=until + 2 * LEEWAY)
        self._database.after_commit(self._file().give)

    def tell(self) -> None:
        """Have all processes look again once the open transaction is committed."""
        self._database.after_commit(self._file().give)

    def _file(self) -> Signal:
        if self._signal is None:
            self._signal = Signal(self._path)
        return self._signal

    def _read(self) -> None:
        mark = _mark()
        refused: dict[str, int] = {}
        query = RevocationRow.select(RevocationRow.session, RevocationRow.version)
        for session, version in query.where(RevocationRow.until > now()).tuples():
            least = _ALL if version is None else version
            refused[session] = max(least, refused.get(session, 0))
        self._refused, self._mark = refused, mark
        self.readings += 1
        self._changed()


def _mark() -> tuple[int, ...]:
    """Return what changes whenever a row comes or goes, in whichever order they commit.

    A key that was made or retired counts as well.
    """
    count = peewee.fn.COUNT
    total = peewee.fn.COALESCE(peewee.fn.SUM(RevocationRow.id), 0).coerce(False)
    rows = RevocationRow.select(count(RevocationRow.id), total).tuples().get()
    keys = SigningKey.select(count(SigningKey.kid), count(SigningKey.retired_at)).tuples().get()
    return tuple(map(int, (*rows, *keys)))


def prune() -> int:
    """Forget what has expired; return how many rows."""
    number: int = RevocationRow.delete().where(RevocationRow.until < now()).execute()
    return number
