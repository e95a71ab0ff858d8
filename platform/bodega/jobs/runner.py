"""Running jobs: claim, run bound to one Assembly, record how it ended."""

import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import peewee
import structlog
from playhouse.pool import MaxConnectionsExceeded

from bodega.database.tables import JobRow
from bodega.jobs import leases
from bodega.jobs.later import Later
from bodega.jobs.queue import LaneSlots
from bodega.security.callers import calling, of_job
from bodega.telemetry import metrics
from bodega.telemetry.redaction import storable
from bodega_sdk.errors import LeaseLost, PermanentFailure, TryLater
from bodega_sdk.jobs import Job
from bodega_sdk.models import now
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)


class Run:
    """One run of a job; see :class:`bodega_sdk.jobs.JobRun`."""

    def __init__(self, row: JobRow, shop: "Shop", lease: timedelta) -> None:
        self.id: UUID = row.id
        self.attempt: int = row.attempts
        self._row = row
        self._shop = shop
        self._lease = lease

    @property
    def checkpoint(self) -> dict[str, Any]:
        """What the last run saved."""
        return dict(self._row.checkpoint)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction that only commits while the lease lasts."""
        with self._shop.transaction():
            yield
            self._own(lease_until=now() + self._lease)

    def save(
        self,
        checkpoint: Mapping[str, Any] | None = None,
        *,
        done: int | None = None,
        total: int | None = None,
    ) -> None:
        """Store the checkpoint and the progress."""
        given = {"checkpoint": checkpoint, "done": done, "total": total}
        changes = {name: value for name, value in given.items() if value is not None}
        self._own(**changes)
        if checkpoint is not None:
            self._row.checkpoint = dict(checkpoint)

    def _own(self, **changes: Any) -> None:
        if not leases.update_owned(self._row, **changes):
            raise LeaseLost(f"job {self.id}: another worker may own it now; this run stops")


class Runner:
    """Runs the jobs of one worker process."""

    def __init__(self, shop: "Shop", worker: str, threads: int) -> None:
        self._shop = shop
        self._worker = worker
        self._slots = LaneSlots(threads)
        self._lease = timedelta(seconds=shop.settings.job_lease)
        self.stopping = threading.Event()

    def work(self, lane: str) -> None:
        """Run the jobs of a lane until none is due; return at once when the lane is full here."""
        if not self._slots.take(lane):
            return
        try:
            while not self.stopping.is_set() and self.run_next(lane):
                pass
        except peewee.OperationalError as error:
            log.warning("the database did not answer; the sweeper wakes us", error=str(error))
        finally:
            self._slots.free(lane)
            self._shop.databases.close()

    def run_next(self, lane: str) -> bool:
        """Claim and run one job; False when none is due."""
        with self._shop.lent() as shop:
            jobs = shop.assembly.jobs
            row = leases.claim(shop.databases.shop, lane, list(jobs), self._worker, self._lease)
            if row is None:
                return False
            self._run(jobs[row.name], row, shop)
            return True

    def _run(self, job: Job, row: JobRow, shop: Any) -> None:
        context = {"job": job.name, "job_id": str(row.id), "attempt": row.attempts}
        with structlog.contextvars.bound_contextvars(**context), bound(shop):
            with self._renewing(row), calling(of_job(job.name)):
                outcome = self._outcome(job, row)
            metrics.JOBS.labels(job.name, outcome).inc()
            log.info("job ended", outcome=outcome)

    def _outcome(self, job: Job, row: JobRow) -> str:
        try:
            job(Run(row, self._shop, self._lease), **row.payload)
        except LeaseLost as error:
            log.warning("lease lost", reason=str(error))
            return "lost"
        except PermanentFailure as error:
            return self._finish(row, "dead", storable(str(error)))
        except TryLater as error:
            return self._again(row, storable(str(error)), error.wait, attempts=row.attempts - 1)
        except Later as error:
            return self._again(row, storable(str(error)), error.wait)
        # A handler may raise anything, SystemExit included; the worker goes on.
        except BaseException as error:
            log.exception("job failed")
            return self._failed(row, error)
        return self._finish(row, "succeeded", None)

    def _failed(self, row: JobRow, error: BaseException) -> str:
        reason = storable("".join(traceback.format_exception_only(error)).strip())
        if row.attempts >= row.max_attempts:
            return self._finish(row, "dead", reason)
        return self._again(row, reason, timedelta(seconds=min(600, 2**row.attempts)))

    def _again(self, row: JobRow, reason: str, wait: timedelta, **changes: Any) -> str:
        kept = leases.update_owned(
            row,
            status=leases.waiting(),
            error=reason,
            run_at=now() + wait,
            lease_until=None,
            worker=None,
            **changes,
        )
        return "retried" if kept else "lost"

    def _finish(self, row: JobRow, status: str, error: str | None) -> str:
        kept = leases.update_owned(
            row, status=status, error=error, finished_at=now(), lease_until=None
        )
        return status if kept else "lost"

    @contextmanager
    def _renewing(self, row: JobRow) -> Iterator[None]:
        """Renew the lease from a thread of its own while the block runs."""
        done = threading.Event()
        thread = threading.Thread(
            target=self._renew, args=(row, done), name=f"lease-{row.id}", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew(self, row: JobRow, done: threading.Event) -> None:
        try:
            while not done.wait(self._lease.total_seconds() / 4):
                if not _tried(lambda: leases.renew(row, self._lease)):
                    return
        finally:
            self._shop.databases.close()


def _tried(renew: Callable[[], bool]) -> bool:
    try:
        return renew()
    except (peewee.OperationalError, MaxConnectionsExceeded) as error:
        log.warning("lease not renewed, trying again", error=str(error))
        return True
