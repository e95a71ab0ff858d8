"""When what waits for clients is written: at once, and together as soon as there is much of it."""

import asyncio
from typing import Protocol

#: Seconds from one writing to a crowd to the next: what comes in between is written together.
GATHER = 0.015
#: Clients from which on they are a crowd.
CROWD = 50


class Writes(Protocol):
    """A sending side that keeps what it is given until it is told to write."""

    def flush(self) -> None:
        """Write what waits."""


class Pump:
    """Has outlets write what waits for their clients; lives in one event loop.

    Writing to a socket is by far the dearest part of a delivery. A thousand clients that
    get a hundred messages a second would take 100,000 of them; gathered for 15 ms it is
    half of that, and the busier the better.
    """

    def __init__(self) -> None:
        self._waiting: list[Writes] = []
        self._next = 0.0

    def add(self, outlet: Writes) -> None:
        """Have an outlet write soon; called once until it did."""
        if not self._waiting:
            loop = asyncio.get_running_loop()
            # Never earlier than the loop's next turn: what is delivered in this one goes along.
            loop.call_at(max(self._next, loop.time()), self._run)
        self._waiting.append(outlet)

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        began = asyncio.get_running_loop().time()
        for outlet in waiting:
            outlet.flush()
        self._next = began + GATHER if len(waiting) >= CROWD else 0.0
