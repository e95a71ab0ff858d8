"""A worker without a process: the parts of a real one, which run when a test says so."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from bodega.database import outbox
from bodega.database.tables import JobRow, SubscriptionRow
from bodega.jobs.feeding import feed
from bodega.jobs.runner import Runner
from bodega.jobs.services import Services
from bodega.jobs.sweeper import Sweeper, enqueue_when_due
from bodega_sdk.jobs import LANES, JobState, job_state
from bodega_sdk.models import now
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Shop

_ENDLESS = 10_000


def run_due(shop: "Shop", lanes: Iterable[str] = LANES) -> int:
    """Run every job that is due in this thread; return how many ran."""
    runner, ran = Runner(shop, "test", threads=2), 0
    for lane in lanes:
        while runner.run_next(lane):
            ran += 1
    return ran


class Jobs:
    """Does what a worker does: schedules, expired leases, events for subscriptions, jobs."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def run_all(self, *, failures: bool = False) -> int:
        """Work until nothing is due; return how many jobs ran.

        A failing subscription raises what its handler raises.

        Args:
            failures: whether jobs may fail; they are tried again when their time comes.

        Raises:
            AssertionError: a job failed; with its name, attempt and error. The traceback
                stands in the captured log.
        """
        __tracebackhide__ = True
        before, ran = _failed(), 0
        while True:
            fed = self._sweep()
            done = run_due(self._shop)
            ran += done
            if not failures:
                _refuse(_failed(), before)
            if not (fed or done):
                return ran
            _refuse_endless(ran, "jobs ran")

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the services of the shop in the block, each in a thread, as a worker does."""
        services = Services(self._shop, first_wait=0.1)
        services.start()
        try:
            yield
        finally:
            services.stop()

    @property
    def waiting(self) -> list[JobState]:
        """The jobs that wait, also those whose time has not come, oldest first."""
        rows = JobRow.select(JobRow.id).where(JobRow.status == "queued").order_by(JobRow.id)
        return [state for row in rows if (state := job_state(row.id)) is not None]

    def begin_to_listen(self) -> None:
        """Have new subscriptions begin behind the last event and new schedules begin to count."""
        with self._shop.lent() as shop, bound(shop):
            outbox.relay(shop.databases.shop)
            newest = outbox.last_offset(shop.databases.shop)
            for item in shop.assembly.subscriptions:
                row = SubscriptionRow.insert(name=item.name, offset=newest)
                row.on_conflict_ignore().execute()
            for job in shop.assembly.jobs.values():
                if job.every is not None:
                    enqueue_when_due(shop, job, now())

    def _sweep(self) -> int:
        """Do one round of the sweeper; return how many events were handed over."""
        fed = 0
        with self._shop.lent() as shop, bound(shop):
            outbox.relay(shop.databases.shop)
            for item in shop.assembly.subscriptions:
                # The sweeper itself logs what a handler raises, and goes on.
                while more := feed(shop, item):
                    fed += more
                    _refuse_endless(fed, "events were handed over")
        Sweeper(self._shop).sweep()
        return fed


def _refuse_endless(number: int, what: str) -> None:
    if number > _ENDLESS:
        raise AssertionError(f"{number} {what}, and there are always more")


def _failed() -> dict[UUID, JobRow]:
    return {row.id: row for row in JobRow.select().where(JobRow.error.is_null(False))}


def _refuse(failed: dict[UUID, JobRow], before: dict[UUID, JobRow]) -> None:
    """Refuse jobs that failed again, or for the first time."""
    __tracebackhide__ = True
    told = [
        f"{row.name} failed at attempt {row.attempts}: {row.error}"
        for key, row in failed.items()
        if key not in before or before[key].attempts != row.attempts
    ]
    if told:
        raise AssertionError("\n".join(told))
