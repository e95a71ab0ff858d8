"""The sweeper: everything a worker does on its own account, about once a second.

It gives back what dead workers held, wakes lanes that have work, enqueues schedules
that are due, and feeds subscriptions. Every worker runs one; each step is safe to run
in several at once.
"""

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from bodega.addons.upgrading import Finisher
from bodega.database import outbox
from bodega.database.connection import is_postgres
from bodega.database.tables import ScheduleRow, SubscriptionRow
from bodega.jobs import leases
from bodega.security import revocations
from bodega_sdk.events import Occurrence, Subscription
from bodega_sdk.jobs import Job
from bodega_sdk.models import now
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)
#: Seconds between two times that what has expired is forgotten.
_PRUNE = 60.0


class Sweeper:
    """A thread that sweeps until it is stopped."""

    def __init__(self, shop: "Shop", interval: float = 1.0) -> None:
        self._shop = shop
        self._interval = interval
        self._stopped = threading.Event()
        self._finisher = Finisher(shop)
        self._pruned = 0.0
        self._thread = threading.Thread(target=self._loop, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the sweep in hand."""
        self._stopped.set()
        self._thread.join(10)

    def _loop(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self.sweep()
            except Exception as error:
                # The next sweep tries again; a database that is away must not end the thread.
                log.warning("sweep failed", error=str(error))
                self._shop.databases.close()  # A broken connection does not mend itself.
        self._shop.databases.close()

    def _prune(self) -> None:
        if time.monotonic() - self._pruned > _PRUNE:
            self._pruned = time.monotonic()
            revocations.prune()

    def sweep(self) -> None:
        """Do one round."""
        self._finisher.step()
        self._prune()
        with self._shop.lent() as shop, bound(shop):
            back = leases.give_back_expired()
            if back:
                log.warning("jobs given back by dead workers", jobs=back)
            leases.resume(shop.assembly.jobs)
            for job in shop.assembly.jobs.values():
                if job.every is not None:
                    enqueue_when_due(shop, job, now())
            for lane in leases.lanes_due(list(shop.assembly.jobs)):
                self._shop.queue.wake(lane)
            for subscription in shop.assembly.subscriptions:
                _feed_guarded(shop, subscription)


def enqueue_when_due(shop: Any, job: Job, at: datetime) -> bool:
    """Enqueue a schedule once for the time that has come; True if it was done here."""
    assert job.every is not None
    with shop.transaction():
        fresh = ScheduleRow.insert(name=job.name, due=at + job.every).on_conflict_ignore()
        fresh.execute()
        moved = ScheduleRow.update(due=at + job.every).where(
            ScheduleRow.name == job.name, ScheduleRow.due <= at
        )
        if not moved.execute():
            return False
        job.enqueue()
        return True


def _feed_guarded(shop: Any, subscription: Subscription) -> None:
    """Feed a subscription; one that fails keeps its place and disturbs no other."""
    try:
        feed(shop, subscription)
    except Exception:
        log.exception("a subscription failed and is tried again", subscription=subscription.name)


def feed(shop: Any, subscription: Subscription, limit: int = 200) -> int:
    """Give a subscription its next events; return how many.

    Its place in the log moves in the transaction of its handler: what the handler
    writes to the database happens exactly once.
    """
    fed = 0
    while fed < limit and _feed_one(shop, subscription):
        fed += 1
    return fed


def _feed_one(shop: Any, subscription: Subscription) -> bool:
    database = shop.databases.shop
    if _next_event(database, subscription, _place(database, subscription.name)) is None:
        return False
    with shop.transaction():
        after = _place(database, subscription.name, lock=True)
        event = None if after is None else _next_event(database, subscription, after)
        if event is None:
            return False
        subscription.handler(event)
        SubscriptionRow.update(offset=event.offset).where(
            SubscriptionRow.name == subscription.name
        ).execute()
        return True


def _next_event(database: Any, subscription: Subscription, after: int | None) -> Occurrence | None:
    if after is None:
        return None
    return next(outbox.read(database, after, 1, [subscription.event]), None)


def _place(database: Any, name: str, *, lock: bool = False) -> int | None:
    """Return how far a subscription has read; None while another worker feeds it."""
    query = SubscriptionRow.select().where(SubscriptionRow.name == name)
    if lock and is_postgres(database):
        query = query.for_update("FOR UPDATE SKIP LOCKED")
    row = query.first()
    if row is not None or lock:
        return None if row is None else int(row.offset)
    return outbox.begin_reading(database, [name])
