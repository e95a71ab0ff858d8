"""Connections that wait for a request, and the threads that answer those that have one."""

import os
import select
import threading
import time
from typing import Any

#: One thread is told of what came, and nobody until the connection waits again.
_ONCE = select.EPOLLONESHOT | select.EPOLLIN


class Waiting:
    """Connections that nobody is at; threads take those that have something to say.

    A connection is gunicorn's ``TConn``. Linux only.
    """

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._by_number: dict[int, Any] = {}
        self._over = threading.Event()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        # Not once only: each thread is to hear it.
        self._poll.register(self._bell, select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, connection: Any, seconds: float) -> None:
        """Let a connection wait that never did."""
        number = self._note(connection, seconds)
        self._poll.register(number, _ONCE)

    def put_back(self, connection: Any, seconds: float) -> None:
        """Let a connection wait for its next request.

        Args:
            seconds: until it is given up.
        """
        buffered = connection.parser is not None and connection.parser.unreader.buf.getvalue()
        number = self._note(connection, seconds)
        # What has been read already does not make it readable, but it is always writable: so
        # it comes behind those who have waited longer.
        try:
            self._poll.modify(number, _ONCE | (select.EPOLLOUT if buffered else 0))
        except OSError:
            # It may have been given up already, and closed.
            if self._by_number.pop(number, None):
                raise

    def _note(self, connection: Any, seconds: float) -> int:
        number: int = connection.sock.fileno()
        connection.timeout = time.monotonic() + seconds
        self._by_number[number] = connection
        return number

    def take(self) -> Any:
        """Wait for a connection that has something to say; None when there will be no more."""
        while not self._over.is_set():
            for number, _ in self._poll.poll(maxevents=1):
                # Whoever takes it out of the dictionary has it.
                if connection := self._by_number.pop(number, None):
                    return connection
        return None

    def given_up(self, within: float | None = None) -> list[Any]:
        """Take those that have waited too long.

        Args:
            within: seconds that any may wait from now on, at most.
        """
        now = time.monotonic()
        found = []
        for number, connection in list(self._by_number.items()):
            if within is not None:
                connection.timeout = min(connection.timeout, now + within)
            if connection.timeout <= now and self._by_number.pop(number, None):
                found.append(connection)
        return found

    def end(self) -> None:
        """Let the threads go that wait."""
        self._over.set()
        os.eventfd_write(self._bell, 1)
