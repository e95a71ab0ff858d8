"""Jobs as an operator sees them: listing, trying again, cancelling, schedules."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import peewee

from bodega.database.tables import JobRow, ScheduleRow
from bodega_sdk.errors import Conflict, FieldError, NotFound
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Shop

STATUSES = ("queued", "running", "parked", "succeeded", "dead", "cancelled")
#: What can be tried again, and what can be stopped.
ENDED_BADLY = ("dead", "cancelled")
UNENDED = ("queued", "parked", "running")


def select(
    *,
    status: str | None = None,
    name: str | None = None,
    lane: str | None = None,
    addon: str | None = None,
) -> peewee.ModelSelect:
    """Return the query of the jobs that are wanted; order it by id for the order of making."""
    query = JobRow.select()
    for field, wanted in ((JobRow.status, status), (JobRow.name, name), (JobRow.lane, lane)):
        if wanted is not None:
            query = query.where(field == wanted)
    if addon is not None:
        query = query.where(JobRow.name.startswith(f"{addon}."))
    return query


def find(job_id: UUID) -> JobRow:
    """Return a job.

    Raises:
        NotFound: there is none with this id.
    """
    row: JobRow | None = JobRow.get_or_none(JobRow.id == job_id)
    if row is None:
        raise NotFound(
            f"There is no job {job_id}; list the jobs for their ids.",
            [FieldError("id", "No job has this id.", str(job_id))],
        )
    return row


def as_json(row: JobRow) -> dict[str, Any]:
    """Return a job as it stands in lists."""
    return {
        "id": row.id,
        "name": row.name,
        "addon": row.name.partition(".")[0],
        "lane": row.lane,
        "status": row.status,
        "attempts": row.attempts,
        "max_attempts": row.max_attempts,
        "done": row.done,
        "total": row.total,
        "progress": _progress(row),
        "error": row.error,
        "worker": row.worker,
        "run_at": row.run_at,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }


def with_payload(row: JobRow) -> dict[str, Any]:
    """Return a job as it is shown alone."""
    return as_json(row) | {"payload": row.payload}


def _progress(row: JobRow) -> float | None:
    """Return the progress in per cent, None while the job's size is unknown."""
    return round(min(100.0, 100 * row.done / row.total), 1) if row.total else None


def retry(shop: "Shop", job_id: UUID) -> JobRow:
    """Queue a dead or cancelled job again, with all its attempts and from its checkpoint.

    Raises:
        NotFound: there is none with this id.
        Conflict: its status is another one.
    """
    with shop.transaction():
        if not _queue_again(shop, JobRow.id == job_id):
            raise _refused(find(job_id), "tried again", ENDED_BADLY)
        row = find(job_id)
        _wake(shop, {row.lane})
        shop.audit("job.retried", f"job:{row.id}", name=row.name)
    return row


def retry_dead(shop: "Shop", name: str) -> int:
    """Queue all dead jobs of a name again; return how many.

    Raises:
        NotFound: there is none; the message names what there is.
    """
    with shop.transaction():
        lanes = {row.lane for row in select(status="dead", name=name).select(JobRow.lane)}
        count = _queue_again(shop, (JobRow.name == name) & (JobRow.status == "dead"))
        if not count:
            raise NotFound(f"There is no dead job named {name!r}; dead are: {_dead_names()}.")
        _wake(shop, lanes)
        shop.audit("job.retried", "", name=name, dead=count)
    return count


def _dead_names() -> str:
    names = select(status="dead").select(JobRow.name).distinct().order_by(JobRow.name).tuples()
    return ", ".join(name for (name,) in names) or "none"


def _queue_again(shop: "Shop", which: Any) -> int:
    # The job of a disabled addon waits for it, as if it had been queued when that was disabled.
    known = JobRow.name.in_(list(shop.assembly.jobs))
    status = peewee.Case(None, [(known, "queued")], "parked")
    query = JobRow.update(
        status=status, attempts=0, run_at=now(), error=None, worker=None, lease_until=None,
        started_at=None, finished_at=None,
    )  # fmt: skip
    return int(query.where(which, JobRow.status.in_(ENDED_BADLY)).execute())


def _wake(shop: "Shop", lanes: Iterable[str]) -> None:
    for lane in lanes:
        shop.databases.shop.after_commit(partial(shop.queue.wake, lane))


def cancel(shop: "Shop", job_id: UUID) -> JobRow:
    """Stop a job for good; what a run of it writes from now on is rolled back.

    A running handler is not interrupted: it is told by LeaseLost when it saves or ends
    its next transaction. One that is being committed now is waited for.

    Raises:
        NotFound: there is none with this id.
        Conflict: it has ended already.
    """
    with shop.transaction():
        stopped = JobRow.update(
            status="cancelled", fence=JobRow.fence + 1, lease_until=None, finished_at=now()
        ).where(JobRow.id == job_id, JobRow.status.in_(UNENDED))
        if not stopped.execute():
            raise _refused(find(job_id), "cancelled", UNENDED)
        row = find(job_id)
        shop.audit("job.cancelled", f"job:{row.id}", name=row.name)
    return row


def _refused(row: JobRow, verb: str, statuses: Iterable[str]) -> Conflict:
    message = f"Only a job that is {' or '.join(statuses)} can be {verb}."
    return Conflict(
        f"Job {row.id} ({row.name}) is {row.status}. {message}",
        [FieldError("status", message, row.status)],
    )


def schedules(shop: "Shop") -> list[dict[str, Any]]:
    """Return the schedules of the enabled addons, when they are due and how they went."""
    due = {row.name: row.due for row in ScheduleRow.select()}
    found = []
    for job in sorted(shop.assembly.jobs.values(), key=lambda job: job.name):
        if job.every is not None:
            last = select(name=job.name).order_by(JobRow.id.desc()).first()
            found.append({
                "name": job.name,
                "addon": job.name.partition(".")[0],
                "every": job.every.total_seconds(),
                "due": due.get(job.name),
                "last_job": last and last.id,
                "last_status": last and last.status,
            })  # fmt: skip
    return found
