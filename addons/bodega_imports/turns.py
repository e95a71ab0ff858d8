"""Chunks of an import, several at a time: while the database has one, Python has the other.

Each is written by a thread with a connection of its own. They are committed in their order, so
that one number still says how far an import is, and whoever goes on goes on there.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from bodega_sdk import database

C = TypeVar("C")
#: Seconds that a chunk waits for the one before it at least, with all that it has locked; it waits
#: for as long as it took itself.
_PATIENCE = 5.0


class OutOfTurn(Exception):
    """The chunk before is not committed: this one is rolled back."""


class Turn:
    """A chunk's turn to be committed: when the one before it was.

    Args:
        before: the turn of that one; None of the first.
    """

    def __init__(self, before: "Turn | None" = None) -> None:
        self._before = before
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._committed = False

    def wait(self, *, patiently: bool = False) -> None:
        """Wait for it, in the transaction of the chunk, behind all else that may take long.

        Args:
            patiently: however long it takes, while nothing is locked.

        Raises:
            OutOfTurn: it has not come in time, or never will.
        """
        before = self._before
        if before is None:
            return
        patience = max(_PATIENCE, time.monotonic() - self._began)
        if not before._ended.wait(None if patiently else patience) or not before._committed:
            raise OutOfTurn
        self._before = None  # Else the last turn would hold all others.

    def end(self, *, committed: bool) -> None:
        """Let the next chunk have its turn, or none if this one was not committed."""
        self._committed = committed
        self._ended.set()


def write_in_turns(
    chunks: Iterable[C], write: Callable[[C, Turn], None], at_once: int
) -> Iterator[None]:
    """Write chunks; yield when another one is committed.

    Args:
        at_once: how many are being written at a time.
        write: opens a transaction, writes a chunk, and waits for the turn before the commit.

    Raises:
        Exception: what writing one raises; it and what follows are not written.
    """
    begun: deque[Future[None]] = deque()
    turn = None
    with ThreadPoolExecutor(at_once, "imports") as threads:
        for chunk in chunks:
            turn = Turn(turn)
            begun.append(threads.submit(copy_context().run, _written, chunk, turn, write))
            if len(begun) == at_once:
                begun.popleft().result()
                yield
        for one in begun:
            one.result()
            yield


def _written(chunk: C, turn: Turn, write: Callable[[C, Turn], None]) -> None:
    committed = False
    try:
        try:
            write(chunk, turn)
        except OutOfTurn:
            # The one before may be waiting for what this one had locked.
            turn.wait(patiently=True)
            write(chunk, turn)
        committed = True
    finally:
        turn.end(committed=committed)
        if not database.obj.is_closed():
            database.obj.close()
