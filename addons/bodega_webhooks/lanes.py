"""The lane of a webhook: how many of its deliveries are sent at a time, and how fast.

A lane begins with a few requests at a time and has one more for each success, up to what
the webhook allows; it has half as many after each answer that does not come, or says that
it is too much. After some failures in a row the breaker opens: the lane is closed and the
endpoint left alone for half a minute, then twice as long each time; a single request shows
whether it is well again. So an endpoint that hangs or fails holds next to nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bodega_sdk import now
from bodega_webhooks.claiming import Held, Wanted
from bodega_webhooks.parcels import KeyedQueue, Parcel, PlainQueue, Queue, Result
from bodega_webhooks.recording import Health
from bodega_webhooks.retrying import BUSY
from bodega_webhooks.targets import Target

#: Failures in a row that open the breaker, and seconds that it stays open at first, at last.
OPENS_AFTER, REST, LONGEST_REST = 5, 30, 900
_FIRST = 4
#: Parcels in memory for each request under way, and of one lane at most.
_AHEAD, _MOST = 20, 2000
# Longer than a second has it by so much: what is sent in time may arrive a little late.
_MARGIN = 1.05

#: Seconds between two times that all is read that is due.
_READ_ALL = 1.0

Send = Callable[[Target, Parcel], Awaitable[Result]]


class Lane:
    """One webhook's deliveries in this process.

    Args:
        send: makes one attempt.
        tell: takes its result.
    """

    def __init__(
        self, target: Target, held: Held, send: Send, tell: Callable[[Result], None]
    ) -> None:
        self.target = target
        self.failures = held.failures
        self.failing_since = held.failing_since
        self.paused_until: datetime | None = None
        self.closed = False
        self.active = 0
        # Since when the database had nothing for it; None while it had.
        self.idle_since: float | None = None
        self.fed_last = 1
        self._after: tuple[str, str] | None = None
        self._read_all = 0.0
        self._send = send
        self._tell = tell
        self._allowed = 1.0 if held.failures >= OPENS_AFTER else float(_FIRST)
        self._queue: Queue = KeyedQueue() if target.ordered else PlainQueue()
        # Sent or being sent, and not written down yet.
        self._open: set[str] = set()
        self._noted: tuple[int, datetime | None, datetime | None] = (
            held.failures, held.failing_since, None,
        )  # fmt: skip
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Lock()
        self._sent = 0.0

    # What is in it.

    @property
    def wants(self) -> int:
        """How many parcels it should be given at most; 0 while it has enough."""
        if self.closed:
            return 0
        most = min(_MOST, max(1, int(self._at_once * _AHEAD)))
        if self.failures >= OPENS_AFTER:
            most = 1
        if self.target.rate:
            most = min(most, 2 * self.target.rate)
        # As many again are read besides: what it has is still due in the database.
        return 0 if 4 * len(self._queue) > 3 * most else most

    def order(self) -> Wanted | None:
        """Return what to read for it; None while it has enough.

        Mostly only what comes behind what was read last; once in a while all that is due, for
        what was committed late. What it has is due in the database, and read again then.
        """
        wants, at = self.wants, time.monotonic()
        if not wants:
            return None
        if self.target.ordered or self._after is None or at - self._read_all > _READ_ALL:
            self._after, self._read_all = None, at
            return wants + len(self._open), self.target.ordered, None
        return max(1, wants - len(self._queue)), False, self._after

    @property
    def empty(self) -> bool:
        """Whether nothing waits, is under way, or is to be written down."""
        return not (self.active or len(self._queue) or self._open)

    def put(self, parcels: list[Parcel]) -> int:
        """Take parcels, but those that it has; return how many."""
        known, taken, after = self._known(), 0, self._after
        for parcel in parcels:
            if parcel.id not in known and not self.closed:
                self._queue.put(parcel)
                taken += 1
        if parcels:
            self._after = (parcels[-1].due_at, parcels[-1].id)
        elif after is not None:
            # Nothing is behind it; what may be in front is looked for next.
            self._after, taken = None, 1
        self.fed_last = taken
        self._go()
        return taken

    def new(self, parcels: list[tuple[Parcel, str]]) -> list[tuple[Parcel, str]]:
        """Return those that it has not."""
        known = self._known()
        return [item for item in parcels if item[0].id not in known]

    def recorded(self, result: Result) -> None:
        """Say that a result is written down."""
        self._open.discard(result.parcel.id)
        self._queue.recorded(result.parcel)

    def _known(self) -> set[str]:
        return self._open | self._queue.ids()

    # Sending.

    @property
    def _at_once(self) -> int:
        return max(1, min(int(self._allowed), self.target.concurrency))

    def _go(self) -> None:
        if not self.closed:
            for _ in range(min(self._at_once - self.active, self._queue.ready)):
                self._begin()

    def _begin(self) -> None:
        self.active += 1
        task = asyncio.create_task(self._work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        try:
            while self._queue.ready and self.active <= self._at_once:
                if self.target.rate:
                    await self._take_turn(self.target.rate)
                parcel = None if self.closed else self._queue.take()
                if parcel is None:
                    return
                self._open.add(parcel.id)
                self._finish(await self._send(self.target, parcel))
        finally:
            self.active -= 1

    async def _take_turn(self, rate: int) -> None:
        """Wait until the rate lets another one go; they go one by one, whatever held them up."""
        loop = asyncio.get_running_loop()
        async with self._gate:
            wait = self._sent + _MARGIN / rate - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._sent = loop.time()

    def _finish(self, result: Result) -> None:
        self._queue.done(result.parcel, delivered=result.delivered)
        if result.delivered:
            self._went_well()
        else:
            self._went_wrong(result)
        self._tell(result)
        self._go()

    def _went_well(self) -> None:
        self.failures, self.failing_since = 0, None
        self._allowed = min(self._allowed + 1, float(self.target.concurrency))

    def _went_wrong(self, result: Result) -> None:
        self.failures += 1
        self.failing_since = self.failing_since or result.started_at
        if result.status is None or result.status in BUSY:
            self._allowed = max(1.0, self._allowed / 2)
        rest = 0.0
        if self.failures >= OPENS_AFTER:
            rest = min(float(LONGEST_REST), REST * 2.0 ** (self.failures - OPENS_AFTER))
        if result.status in BUSY:
            rest = max(rest, result.retry_after or 0.0)
        if rest:
            self._pause(rest)
        if result.gone:
            self.close()

    def _pause(self, seconds: float) -> None:
        until = now() + timedelta(seconds=seconds)
        self.paused_until = max(self.paused_until or until, until)
        self.close()

    # Its end.

    def close(self) -> None:
        """Send nothing more; what is under way comes to its end."""
        self.closed = True
        self._queue.clear()

    def cancel(self) -> None:
        """Break off what is under way: it counts as not sent."""
        self.close()
        for task in self._tasks:
            task.cancel()

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """What is under way."""
        return set(self._tasks)

    def health(self) -> Health | None:
        """Return how the endpoint is, if that has changed since it was asked last."""
        found = (self.failures, self.failing_since, self.paused_until)
        if found == self._noted:
            return None
        self._noted = found
        return Health(self.target.id, *found)
