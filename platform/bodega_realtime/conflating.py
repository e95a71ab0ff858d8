"""The latest values only: what a subscription that asked for that is given, and when."""

import asyncio

from bodega_realtime.outlet import Outlet

#: Bytes that are kept at most until they are sent before their time.
_MOST_KEPT = 2**20


class Latest:
    """Keeps the latest event of each name and key, and sends all of them at a pace.

    They go out in the order of their offsets, and all at once: whoever has one has, or
    was spared, everything before it, so that offsets serve to resume as ever.

    Args:
        pace: milliseconds.
    """

    __slots__ = ("_kept", "_outlet", "_pace", "_size", "_timer")

    def __init__(self, outlet: Outlet, pace: int) -> None:
        self._outlet = outlet
        self._pace = pace / 1000
        self._kept: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def put(self, what: tuple[str, str], offset: int, frame: bytes) -> None:
        """Take an event; the first after a pause is sent at once.

        Args:
            what: its name and key.
        """
        before = self._kept.pop(what, None)
        self._size += len(frame) - (len(before[1]) if before else 0)
        self._kept[what] = offset, frame
        if self._timer is None or self._size > _MOST_KEPT:
            self.flush()
            self._wait()

    def flush(self) -> None:
        """Send what is kept."""
        kept, self._kept, self._size = self._kept, {}, 0
        # Taken out and put in again when it changes, so it is in the order of offsets.
        for _, frame in kept.values():
            self._outlet.deliver(frame)

    def end(self) -> None:
        """Send nothing more."""
        self._kept = {}
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pace, self._due)

    def _due(self) -> None:
        self._timer = None
        if not self._kept:
            return
        # A client that reads slowly gets newer values later, not more of them.
        if self._outlet.roomy:
            self.flush()
        self._wait()
