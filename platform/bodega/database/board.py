"""A board that the processes of one machine share: which tables are being written to.

Whoever commits says so before and behind. As long as nobody did, what was read of a table is
what is in it, and nobody has to ask the database. It is a file in the shop's folder that all of
them have in memory.
"""

import fcntl
import os
import threading
import weakref
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from mmap import mmap
from pathlib import Path
from typing import Any
from zlib import crc32

import structlog

log = structlog.get_logger(__name__)
#: Pairs of numbers, of commits that have begun and that have ended. Tables may share one.
_PAIRS = 4096
_BYTES = _PAIRS * 16

Mark = tuple[int, ...]


class Board:
    """The board of a shop on this machine.

    Args:
        file: made when there is none.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._numbers: Any = None
        self._process = 0
        self._turns = -1
        self._lock = threading.Lock()

    def begin(self, tables: Iterable[str]) -> None:
        """Say that a commit of changes of tables begins."""
        self._raise(tables, 0)

    def end(self, tables: Iterable[str]) -> None:
        """Say that it has ended: it is seen by everybody, or never will be.

        Who does not know which does not say so: what the tables share a place with is asked of
        the database until all processes of the shop have ended.
        """
        self._raise(tables, 1)

    def mark(self, tables: Iterable[str]) -> Mark | None:
        """Return what stays the same until somebody writes to one of the tables.

        None while somebody does, or when there is no board.
        """
        numbers = self._open()
        if numbers is None:
            return None
        places = list(map(_place, tables))
        # Ended first: a commit that begins in between is one that has not ended.
        ended = [numbers[place + 1] for place in places]
        begun = tuple([numbers[place] for place in places])
        return begun if ended == list(begun) else None

    def _raise(self, tables: Iterable[str], which: int) -> None:
        numbers = self._open()
        if numbers is None:
            return
        with self._lock:
            fcntl.flock(self._turns, fcntl.LOCK_EX)
            try:
                for place in {_place(table) for table in tables}:
                    numbers[place + which] += 1
            finally:
                fcntl.flock(self._turns, fcntl.LOCK_UN)

    def _open(self) -> Any:
        # A process that was forked has no part in its parent's locks.
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._numbers = self._opened()
                    self._process = os.getpid()
        return self._numbers

    def _opened(self) -> Any:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            board, self._turns = map(self._file_of, (self._file, self._file.with_suffix(".lock")))
            _begin_anew(board)
            return memoryview(mmap(board, _BYTES)).cast("Q")
        except OSError as error:
            log.warning("there is no board of changes", file=str(self._file), error=str(error))
            return None

    def _file_of(self, path: Path) -> int:
        """Open a file for as long as there is this object: locks go with it."""
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        weakref.finalize(self, os.close, number)
        return number


def _begin_anew(board: int) -> None:
    """Make an empty board, unless another process has it; have it from now on."""
    with suppress(BlockingIOError):
        fcntl.flock(board, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(board, 0)
    fcntl.flock(board, fcntl.LOCK_SH)
    os.ftruncate(board, _BYTES)


@lru_cache(2000)
def _place(table: str) -> int:
    return crc32(table.encode()) % _PAIRS * 2
