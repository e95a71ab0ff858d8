"""Jobs: work done later, by a worker, that survives the worker.

A job is a row written with the business data it belongs to. A worker claims it with
a lease; when the worker dies, another claims it again. So a handler may run more
than once, and writes through :meth:`JobRun.transaction`, which lets nothing through
that a worker writes after it lost its lease.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from bodega_sdk.runtime import runtime

#: Lanes keep long work from starving short work.
LANES = ("default", "bulk", "mail")


class JobRun(Protocol):
    """One run of a job, given to its handler first.

    Example::

        >>> def add_up(run: JobRun, until: int) -> None:
        ...     for number in range(run.checkpoint.get("done", 0), until):
        ...         with run.transaction():
        ...             run.save({"done": number + 1}, done=number + 1, total=until)
    """

    id: UUID
    attempt: int

    @property
    def checkpoint(self) -> dict[str, Any]:
        """What the last run saved; empty at first."""

    def transaction(self) -> AbstractContextManager[None]:
        """Like :func:`bodega_sdk.models.transaction`, and at its end the lease is checked.

        Raises:
            LeaseLost: at the end of the block; it is rolled back.
        """

    def save(
        self,
        checkpoint: Mapping[str, Any] | None = None,
        *,
        done: int | None = None,
        total: int | None = None,
    ) -> None:
        """Store where to go on from, and the progress; inside :meth:`transaction`.

        Raises:
            LeaseLost: another worker owns the job now.
        """


@dataclass(frozen=True, slots=True)
class Job:
    """A declared job; calling it runs the handler, :meth:`enqueue` lets a worker do so.

    Args:
        name: ``"addon.verb"``.
        handler: takes the run and the payload as keywords.
        lane: one of :data:`LANES`.
        max_attempts: how often it is tried before it is dead.
        every: for a schedule, how often it is enqueued; None otherwise.

    Example::

        >>> award = Job("loyalty.award", lambda run, order_id: None, max_attempts=3)
        >>> with transaction():
        ...     job_id = award.enqueue(order_id=str(order_id))
    """

    name: str
    handler: Callable[..., None]
    lane: str = "default"
    max_attempts: int = 5
    every: timedelta | None = None

    def enqueue(
        self, *, run_at: datetime | None = None, job_id: UUID | None = None, **payload: Any
    ) -> UUID:
        """Write the job in the transaction that is open; a worker runs it after the commit.

        Args:
            run_at: not before then (aware); None for at once.
            job_id: a UUIDv7 for it to have, so that the same thing is not begun twice: of two
                with one id, the second breaks the transaction with ``peewee.IntegrityError``.
            payload: JSON-serialisable keywords of the handler.

        Returns:
            The job's id.

        Raises:
            BodegaError: no enabled addon declares the job.
            CapabilityError: it is a job of another addon, which the manifest of the
                calling one does not name in ``uses["jobs"]``.
        """
        return runtime().enqueue(self, payload, run_at, job_id)

    def __call__(self, run: JobRun, **payload: Any) -> None:
        self.handler(run, **payload)


def job(
    name: str,
    *,
    lane: str = "default",
    max_attempts: int = 5,
    every: timedelta | None = None,
) -> Callable[[Callable[..., None]], Job]:
    """Declare a function as a job.

    Args:
        name, lane, max_attempts, every: see :class:`Job`.

    Raises:
        ValueError: there is no such lane.

    Example::

        >>> @job("loyalty.award", max_attempts=3)
        ... def award(run: JobRun, order_id: str) -> None: ...
        >>> award.name, award.lane
        ('loyalty.award', 'default')
    """
    if lane not in LANES:
        raise ValueError(
            f"job {name}: lane {lane!r} is unknown, expected one of {', '.join(LANES)}"
        )

    def declare(handler: Callable[..., None]) -> Job:
        return Job(name, handler, lane, max_attempts, every)

    return declare


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job stands.

    Args:
        status: queued, running, succeeded, dead, parked or cancelled.
        done, total: progress in the job's own unit; total is None while unknown.
        error: why the last attempt failed.

    Example::

        >>> state = JobState(uuid7(), "loyalty.add", "queued", 1, 40, 100, None, now(), None, None)
        >>> f"{state.done / state.total:.0%}"
        '40%'
    """

    id: UUID
    name: str
    status: str
    attempts: int
    done: int
    total: int | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def job_state(job_id: UUID) -> JobState | None:
    """Return where a job stands, or None if there is none with this id.

    Args:
        job_id: what :meth:`Job.enqueue` returned.

    Example::

        >>> job_state(uuid7()) is None
        True
    """
    return runtime().job_state(job_id)


def cancel_job(job_id: UUID) -> bool:
    """Cancel a job that has not ended; what a run of it writes from now on is rolled back.

    Args:
        job_id: what :meth:`Job.enqueue` returned.

    Returns:
        Whether it was cancelled; it had ended, or there is none, otherwise.

    Raises:
        CapabilityError: it is a job of another addon, which the manifest of the calling
            one does not name in ``uses["jobs"]``.

    Example::

        >>> cancel_job(uuid7())
        False
    """
    return runtime().cancel_job(job_id)


def work_here(job_id: UUID) -> bool:
    """Run a queued job in this process if no worker lives; for commands that wait for one.

    Args:
        job_id: what :meth:`Job.enqueue` returned, after the commit.

    Returns:
        Whether it was begun here, in a thread; follow it with :func:`job_state`.

    Example::

        >>> with transaction():
        ...     job_id = award.enqueue(order_id=str(order_id))
        >>> work_here(job_id)
        True
    """
    return runtime().work_here(job_id)
