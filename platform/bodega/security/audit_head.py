"""The head of the audit log outside the database, so that a log cut short is noticed.

A file in the shop's home says how far the log went: ``SEQ:HASH``. It only moves
forward, and only where the log still has the entry that the file names; a log that was
cut and grows again does not wipe away the trace.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bodega.errors import OperatorError
from bodega.security.audit_entries import GENESIS

_WRITTEN = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class Head(NamedTuple):
    """The last entry of the log: its place and its hash."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


#: Of a log that has no entries.
NOTHING = Head(0, GENESIS)


def read_head(text: str) -> Head:
    """Read ``SEQ:HASH``.

    Raises:
        OperatorError: it is none.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise OperatorError(
            f"{text.strip()[:100]!r} is no head of the audit log; take what 'bodega audit head' "
            "printed, e.g. '17:9f86d0…'"
        )
    return Head(int(found[1]), found[2])


class HeadFile:
    """The file.

    Args:
        home: the shop's.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "audit.head"
        self._lock = home / "run" / "audit.lock"

    def read(self) -> Head | None:
        """Return what it says; None when there is none.

        Raises:
            OperatorError: it cannot be read as a head.
        """
        if not self.path.exists():
            return None
        try:
            return read_head(self.text())
        except OperatorError as error:
            raise OperatorError(f"{self.path}: {error}") from None

    def text(self) -> str:
        """Return what it says, be it a head or not; nothing when there is none."""
        try:
            return self.path.read_text(errors="replace").strip()
        except OSError:
            return ""

    def advance(self, before: Head, head: Head, hash_of: Callable[[int], str | None]) -> bool:
        """Move it forward; False when the log no longer has the entry that it names.

        Args:
            before: the entry before those that were just written.
            head: the last of them.
            hash_of: returns the hash of another entry.
        """
        with self._locked():
            found = self.read()
            if found is not None and found.seq >= head.seq:
                return True  # Another process was faster.
            if found not in (None, before, NOTHING) and hash_of(found.seq) != found.hash:
                return False
            self._write(head)
            return True

    def put(self, head: Head | None) -> None:
        """Have it say this, whatever it said before; None removes it."""
        with self._locked():
            if head is None:
                self.path.unlink(missing_ok=True)
            else:
                self._write(head)

    def _write(self, head: Head) -> None:
        part = self.path.with_name("audit.head.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{head}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        # Not the file itself: it is another one after each rename.
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
