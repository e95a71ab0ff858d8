"""Claiming jobs, renewing leases, and giving back what a dead worker held.

Every claim raises the job's fence. Whatever a run writes about its job names its
fence and a lease that still lasts, so a worker that was paused beyond its lease
writes nothing, even when nobody took the job meanwhile.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import peewee

from bodega.database.connection import is_postgres
from bodega.database.tables import AddonRow, JobRow
from bodega_sdk.models import now


def claim(
    database: Any, lane: str, names: list[str], worker: str, lease: timedelta
) -> JobRow | None:
    """Take the next job of a lane that is due, or None.

    Args:
        names: jobs that this worker's Assembly can run.
        worker: who takes it.
        lease: how long it is ours unless renewed.
    """
    if not names:
        return None
    with database.atomic():
        row: JobRow | None = _next(database, lane, names)
        if row is None:
            return None
        row.fence, row.attempts = row.fence + 1, row.attempts + 1
        row.status, row.worker, row.lease_until = "running", worker, now() + lease
        row.started_at = row.started_at or now()
        row.save(only=[JobRow.fence, JobRow.attempts, JobRow.status, JobRow.worker,
                       JobRow.lease_until, JobRow.started_at])  # fmt: skip
        return row


def _next(database: Any, lane: str, names: list[str]) -> Any:
    query = (
        JobRow.select()
        .where(
            JobRow.status == "queued",
            JobRow.lane == lane,
            JobRow.run_at <= now(),
            JobRow.name.in_(names),
        )
        .order_by(JobRow.run_at, JobRow.id)
        .limit(1)
    )
    if is_postgres(database):
        query = query.for_update("FOR UPDATE SKIP LOCKED")
    return query.first()


def update_owned(job: JobRow, **changes: Any) -> bool:
    """Change a job that a run believes to own; False when it no longer does."""
    owned = (
        (JobRow.id == job.id)
        & (JobRow.fence == job.fence)
        & (JobRow.status == "running")
        & (JobRow.lease_until > now())
    )
    return bool(JobRow.update(**changes).where(owned).execute())


def renew(job: JobRow, lease: timedelta) -> bool:
    """Lengthen a lease that still lasts; False when the job is no longer ours."""
    return update_owned(job, lease_until=now() + lease)


def waiting() -> Any:
    """Return the status of a job that shall be run again: parked while its addon is disabled.

    It may be enabled at this very moment: :func:`resume` sees to what it left parked.
    """
    owned = [(JobRow.name.startswith(f"{name}."), "queued") for name in _enabled()]
    return peewee.Case(None, owned, "parked") if owned else "parked"


def resume(names: Iterable[str]) -> int:
    """Queue again what is parked though its addon is enabled; return how many.

    Args:
        names: jobs that this worker's Assembly can run.
    """
    enabled = _enabled()
    ours = [name for name in names if name.partition(".")[0] in enabled]
    query = JobRow.update(status="queued").where(JobRow.status == "parked", JobRow.name.in_(ours))
    return int(query.execute()) if ours else 0


def _enabled() -> set[str]:
    query = AddonRow.select(AddonRow.name).where(AddonRow.enabled)
    # The kernel's own jobs are those of "bodega", which is always there.
    return {"bodega", *(name for (name,) in query.tuples())}


def give_back_expired() -> int:
    """Queue the jobs again whose lease ran out; return how many.

    One that was tried too often is dead: whatever kills its worker would kill the next.
    """
    expired = (JobRow.status == "running") & (JobRow.lease_until < now())
    message = "the worker died or was paused, again and again; see its log"
    dead = JobRow.update(status="dead", error=message, finished_at=now(), lease_until=None).where(
        expired, JobRow.attempts >= JobRow.max_attempts
    )
    back = JobRow.update(status=waiting(), lease_until=None, worker=None, run_at=now())
    dead.execute()
    return int(back.where(expired).execute())


def lanes_due(names: list[str]) -> list[str]:
    """Return the lanes that have a job to run now."""
    query = JobRow.select(JobRow.lane).where(
        JobRow.status == "queued", JobRow.run_at <= now(), JobRow.name.in_(names)
    )
    return [lane for (lane,) in query.distinct().tuples()]


def park_and_resume(names: list[str], sparing: Iterable[str] = ()) -> None:
    """Park the queued jobs that no enabled addon declares; queue those that one does again.

    Args:
        sparing: addons whose newer code may declare jobs that are not known here.
    """
    queued, parked = JobRow.status == "queued", JobRow.status == "parked"
    for addon in sparing:
        queued &= ~JobRow.name.startswith(f"{addon}.")
    # An empty IN () is valid on both engines here: peewee writes a false condition.
    JobRow.update(status="parked").where(queued, JobRow.name.not_in(names)).execute()
    JobRow.update(status="queued").where(parked, JobRow.name.in_(names)).execute()
