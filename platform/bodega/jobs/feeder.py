"""The feeder: threads that feed subscriptions as soon as there is something for them.

One thread looks what is new and says who has a turn; others take the turns, so that a slow
handler keeps nobody waiting. Each subscription has one turn at a time and then goes to the
end of the line.
"""

import queue
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from bodega.database import outbox
from bodega.database.connection import is_postgres
from bodega.database.tables import SubscriptionRow
from bodega.jobs import feeding
from bodega.jobs.feeding import Turn
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Session, Shop

log = structlog.get_logger(__name__)
Rows = Mapping[str, SubscriptionRow]
#: Threads that take turns on PostgreSQL; SQLite has one writer anyhow.
HANDS = 3
#: Seconds between two looks when nobody wakes the feeder, and between two times that places
#: are moved over what is not for their subscriptions.
INTERVAL = 1.0
#: Seconds from a look to the next: where events come all the time, a turn is for several.
_PAUSE = 0.1


class Feeder:
    """Feeds the subscriptions of a worker; safe to run in several at once."""

    def __init__(self, shop: "Shop", interval: float = INTERVAL) -> None:
        self._shop = shop
        self._interval = interval
        self._session: Session | None = None
        self._looked = 0  # What is for whom was found out up to this offset.
        self._moved = 0.0
        self._names: frozenset[str] = frozenset()
        self._pending: dict[str, None] = {}  # In the order in which they have their turns.
        # Who has nothing to read between their place and what was looked at.
        self._verified: dict[str, int] = {}
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._stopped = threading.Event()
        self._line: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        hands = HANDS if is_postgres(shop.databases.shop) else 1
        self._threads = [
            threading.Thread(target=self._loop, name="feeder", daemon=True),
            *(
                threading.Thread(target=self._take_turns, name=f"feeder-{number}", daemon=True)
                for number in range(1, hands + 1)
            ),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the events in hand."""
        self._stopped.set()
        self._news.set()
        for _ in self._threads[1:]:
            self._line.put(None)
        for thread in self._threads:
            thread.join(10)

    def wake(self) -> None:
        """Say that there is something new."""
        self._news.set()

    # Looking.

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self._news.wait(self._interval)
            self._news.clear()
            try:
                self._look()
            except Exception as error:
                log.warning("subscriptions are not looked after, trying again", error=str(error))
                self._shop.databases.close()  # A broken connection does not mend itself.
                self._stopped.wait(1)
            self._stopped.wait(_PAUSE)
        self._shop.databases.close()

    def _look(self) -> None:
        """Find out who has something to read, and put them into the line."""
        with self._shop.lent() as session, bound(session):
            if session is not self._session:
                self._begin(session)
            rows = feeding.places()
            self._see_places(rows)
            self._see_news(session)
            for name in self._next(rows):
                self._line.put(name)
            self._move_on(session)

    def _begin(self, session: "Session") -> None:
        """Look after the subscriptions of another Assembly: nothing is known of them."""
        newest = outbox.last_offset(session.databases.shop)
        with self._lock:
            self._session, self._looked = session, newest
            self._verified = {}
            self._names = frozenset(item.name for item in session.assembly.subscriptions)
            self._pending = dict.fromkeys(item.name for item in session.assembly.subscriptions)
        _warn_of_gaps(session)

    def _see_news(self, session: "Session") -> None:
        database = session.databases.shop
        newest = outbox.last_offset(database)
        if newest == self._looked:
            return
        names = outbox.names_between(database, self._looked, newest)
        for item in session.assembly.subscriptions:
            if any(map(item.matches, names)):
                self._mark(item.name)
        with self._lock:
            self._looked = newest

    def _see_places(self, rows: Rows) -> None:
        """See who was fed elsewhere, and look again at whom an operator put back."""
        with self._lock:
            verified = dict(self._verified)
        for name, place in verified.items():
            row = rows.get(name)
            if row is None or row.offset < place:
                self._mark(name)
            else:
                with self._lock:
                    self._verified[name] = row.offset

    def _mark(self, name: str) -> None:
        """Say that a subscription may have something to read."""
        with self._lock:
            self._pending.setdefault(name)
            self._verified.pop(name, None)

    def _next(self, rows: Rows) -> list[str]:
        """Take those who have something to read, unless they have their turn or wait."""
        with self._lock:
            found = [
                name
                for name in self._pending
                if name not in self._busy and not feeding.waits(rows.get(name))
            ]
            for name in found:
                del self._pending[name]
            self._busy.update(found)
        return found

    def _move_on(self, session: "Session") -> None:
        """Move the places of those who have read all that is for them, once in a while."""
        if time.monotonic() - self._moved < self._interval:
            return
        self._moved = time.monotonic()
        with self._lock:
            verified, looked = dict(self._verified), self._looked
        moved = feeding.skip(session, verified, looked)
        with self._lock:
            self._verified |= {name: looked for name in moved if name in self._verified}

    # Turns.

    def _take_turns(self) -> None:
        while (name := self._line.get()) is not None:
            turn = Turn(0)
            try:
                turn = self._turn(name)
            except Exception as error:
                log.warning("a subscription had no turn", subscription=name, error=str(error))
                self._shop.databases.close()
            self._end(name, turn)
            if is_postgres(self._shop.databases.shop):
                self._shop.databases.close()
        self._shop.databases.close()

    def _turn(self, name: str) -> Turn:
        with self._shop.lent() as session, bound(session):
            for item in session.assembly.subscriptions:
                if item.name == name:
                    return feeding.guarded_turn(session, item, lambda: self._goes_on(session))
        return Turn(0)

    def _goes_on(self, session: "Session") -> bool:
        return not self._stopped.is_set() and self._shop.current is session

    def _end(self, name: str, turn: Turn) -> None:
        with self._lock:
            if turn.given and not turn.caught_up and name in self._names:
                self._line.put(name)
                return
            self._busy.discard(name)
            if name not in self._names:
                return
            if not turn.caught_up:
                self._pending.setdefault(name)
            elif name not in self._pending:
                self._verified[name] = turn.place


def _warn_of_gaps(session: "Session") -> None:
    """Say which subscriptions slept longer than events are kept."""
    rows, oldest = feeding.places(), outbox.oldest_offset(session.databases.shop)
    for item in session.assembly.subscriptions:
        row = rows.get(item.name)
        if row is not None and row.offset < oldest - 1:
            log.warning(
                "events were pruned that a subscription had not read: it goes on at the oldest",
                subscription=item.name, place=row.offset, oldest=oldest,
            )  # fmt: skip
