"""The audit log: security-relevant acts, chained by hashes, appended as their transaction ends.

Entries wait in memory until the transaction is about to be committed. Only then is the
row of the head locked, so that transactions meet there for a moment and nobody who
holds it waits for anybody. See docs/decisions/0016-audit-log.md.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import astuple
from pathlib import Path
from typing import Any

import structlog

from bodega.database.connection import is_postgres
from bodega.security.audit_entries import Entry, entry, sealed, sealing_key
from bodega.security.audit_head import NOTHING, Head, HeadFile
from bodega.security.callers import caller

log = structlog.get_logger(__name__)
TABLE = "bodega_audit"
_COLUMNS = "seq, at, actor, action, target, address, request_id, details, previous, hash"
_rehearsing: ContextVar[bool] = ContextVar("bodega_rehearsing", default=False)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Do something only to see what it would do: nothing of it is written down."""
    token = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(token)


class _Pending(threading.local):
    """What a thread's open transaction has to write down."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.anew = False
        self.written: tuple[Head, Head] | None = None


class AuditLog:
    """A shop's log.

    Args:
        database: the shop's; its transactions call :meth:`write`, :meth:`written` and
            :meth:`forget`.
        home: where the file of the head is.
        secret: returns the shop's secret key.
    """

    def __init__(self, database: Any, home: Path, secret: Callable[[], bytes]) -> None:
        self.database = database
        self.file = HeadFile(home)
        self._secret = secret
        self._pending = _Pending()

    @property
    def key(self) -> bytes:
        """What seals the entries."""
        return sealing_key(self._secret())

    def note(self, action: str, target: str, details: Mapping[str, Any]) -> None:
        """Have the open transaction write an entry; without one, in one of its own.

        Raises:
            ValueError: the action is none.
        """
        made = entry(caller(), action, target, details)
        if _rehearsing.get():
            return
        if self.database.in_transaction():
            self._pending.entries.append(made)
        else:
            with self.database.atomic():
                self._pending.entries.append(made)

    def begin_anew(self) -> None:
        """Have the file follow the log after the open transaction, whatever it says now."""
        self._pending.anew = True

    def accept(self) -> None:
        """Have the file follow the log as it is now, and write that down."""
        was = self.file.text()
        with self.database.atomic():
            self.begin_anew()
            self.note("audit.head_accepted", "", {"was": was})

    # What the database calls.

    def mark(self) -> int:
        """Return the place that a savepoint goes back to."""
        return len(self._pending.entries)

    def forget(self, mark: int | None = None) -> None:
        """Drop what was noted behind a place, or in the whole transaction; it was rolled back."""
        del self._pending.entries[mark or 0 :]
        if mark is None:
            self._pending.anew, self._pending.written = False, None

    def write(self) -> None:
        """Append the entries; right before the commit."""
        entries, self._pending.entries = self._pending.entries, []
        if not entries:
            return
        before = head = self._locked_head()
        key, mark = self.key, self.database.param
        marks = ", ".join([mark] * 10)
        for item in entries:
            seq, columns = head.seq + 1, astuple(item)
            digest = sealed(key, seq, columns, head.hash)
            self._execute(
                f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES ({marks})",
                seq, *columns, head.hash, digest,
            )  # fmt: skip
            head = Head(seq, digest)
        self._execute(
            f"UPDATE {TABLE}_head SET seq = {mark}, hash = {mark} WHERE id = 1", head.seq, head.hash
        )
        self.database.touch(TABLE)
        self._pending.written = (before, head)

    def _locked_head(self) -> Head:
        """Return the head, held until the commit."""
        query = f"SELECT seq, hash FROM {TABLE}_head WHERE id = 1"
        if is_postgres(self.database):
            query += " FOR UPDATE"
        row = self._execute(query).fetchone()
        if row is None:  # Somebody deleted it; the log goes on.
            self._execute(
                f"INSERT INTO {TABLE}_head (id, seq, hash) VALUES (1, {NOTHING.seq}, "
                f"'{NOTHING.hash}') ON CONFLICT DO NOTHING"
            )
            row = self._execute(query).fetchone()
        # Of a head that was set back, the entries behind it are still there.
        return max(self.last() or NOTHING, Head(*row), key=lambda head: head.seq)

    def last(self) -> Head | None:
        """Return the last entry that the table has."""
        found = self._execute(f"SELECT seq, hash FROM {TABLE} ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(*found) if found else None

    def written(self) -> None:
        """Move the file forward; right behind the commit, which nothing can undo any more."""
        done, self._pending.written = self._pending.written, None
        anew, self._pending.anew = self._pending.anew, False
        if done is None and not anew:
            return
        try:
            self._move_file(done, anew)
        # The act itself is committed; whatever happens to the file must not look like its failure.
        except Exception as error:
            log.error("the head of the audit log was not written", error=str(error))

    def _move_file(self, done: tuple[Head, Head] | None, anew: bool) -> None:
        self._sync()
        if anew:
            self.file.put(self.last() if self.database.table_exists(TABLE) else None)
        elif done and not self.file.advance(*done, self.hash_of):
            log.error("the audit log was cut off or exchanged; run 'bodega audit verify'")

    def _sync(self) -> None:
        """Have SQLite's commit on the disk before the file: a power failure is no tampering."""
        if is_postgres(self.database):
            return
        # SQLite's locks are on other files; closing one of those would drop them.
        with suppress(FileNotFoundError), open(f"{self.database.database}-wal", "rb") as wal:
            os.fsync(wal.fileno())

    def hash_of(self, seq: int) -> str | None:
        """Return the hash of an entry; None when there is none."""
        mark = self.database.param
        found = self._execute(f"SELECT hash FROM {TABLE} WHERE seq = {mark}", seq).fetchone()
        return found[0] if found else None

    def _execute(self, statement: str, *values: Any) -> Any:
        return self.database.execute_sql(statement, values)
