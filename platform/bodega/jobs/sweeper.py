"""The sweeper: everything a worker does on its own account, about once a second.

It gives back what dead workers held, wakes lanes that have work, enqueues schedules
that are due, and forgets what is old. Every worker runs one; each step is safe to run
in several at once.
"""

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from bodega.addons.upgrading import Finisher
from bodega.database import retention
from bodega.database.tables import ScheduleRow
from bodega.http import idempotency
from bodega.jobs import leases
from bodega.jobs.feeding import feed, feed_all
from bodega.mail import box
from bodega.security import revocations
from bodega_sdk.jobs import Job
from bodega_sdk.models import now
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Shop

__all__ = ["Sweeper", "enqueue_when_due", "feed"]

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
        self._more_events = False
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
                self.tidy()
            except Exception as error:
                # The next sweep tries again; a database that is away must not end the thread.
                log.warning("sweep failed", error=str(error))
                self._shop.databases.close()  # A broken connection does not mend itself.
        self._shop.databases.close()

    def _prune(self) -> None:
        if time.monotonic() - self._pruned > _PRUNE:
            self._pruned = time.monotonic()
            revocations.prune()
            self._more_events = True
            box.forget_old()
            idempotency.forget_old()

    def _prune_events(self) -> None:
        # A batch each time, until there is no more to prune: writers come in between.
        if self._more_events:
            with self._shop.lent() as session:
                self._more_events = retention.prune(session)

    def sweep(self) -> None:
        """Do one round, and what the feeder does as well."""
        self.tidy()
        with self._shop.lent() as shop, bound(shop):
            feed_all(shop)

    def tidy(self) -> None:
        """Do one round."""
        self._finisher.step()
        self._prune()
        self._prune_events()
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
