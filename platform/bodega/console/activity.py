"""The kernel's pages about what the shop does: jobs and events.

Every query is bounded: counting all jobs of a status would read all of them, so the
count goes only as far as it says.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import peewee

from bodega.database import outbox
from bodega.database.tables import EventRow, JobRow
from bodega.jobs.administration import STATUSES
from bodega_sdk.console import (
    PAGE,
    Badge,
    Block,
    ConsolePage,
    Facts,
    Link,
    Progress,
    Table,
    page_links,
)
from bodega_sdk.http import Parameter, Request
from bodega_sdk.jobs import LANES

if TYPE_CHECKING:
    from bodega.shop import Session

READ = "bodega.read"
#: Rows of one portion.
SIZE = 50
#: Jobs of one status are counted up to here.
COUNTED = 1000
#: Characters of an event's data or a job's error that are shown.
SHOWN = 300
_TONES = {"succeeded": "good", "dead": "bad", "running": "good", "parked": "warning"}


def pages(session: "Session") -> tuple[ConsolePage, ...]:
    """Return the pages."""
    status = Parameter("status", str, "Only jobs of this status.", choices=STATUSES)
    return (
        ConsolePage(
            "jobs", "Jobs", READ, jobs, "What workers do and have done, newest first.",
            (status, PAGE),
        ),
        ConsolePage(
            "events", "Events", READ, lambda request: events(session, request),
            "What happened, newest first.", (PAGE,),
        ),
    )  # fmt: skip


def jobs_at_a_glance(few: int) -> Iterator[Block]:
    """Return how many jobs there are of each status, what runs, and the dead letters."""
    yield jobs_by_status()
    for status, heading in (("running", "Running now"), ("dead", "Dead letters")):
        rows, _ = _of_status(status, 1, few)
        yield jobs_table(rows, heading, f"No job is {status}.")


def jobs_by_status() -> Facts:
    """Return how many jobs there are of each status, each a link to them."""
    return Facts([
        (status, Link(_counted(status), f"/console/jobs?status={status}")) for status in STATUSES
    ])  # fmt: skip


def _counted(status: str) -> str:
    some = JobRow.select(JobRow.lane).where(JobRow.status == status).limit(COUNTED + 1)
    # In the order of the index, lest PostgreSQL look for them through the whole table.
    ordered = some.order_by(JobRow.lane, JobRow.run_at)
    found = JobRow.select(peewee.fn.COUNT(peewee.SQL("1"))).from_(ordered).scalar()
    return f"more than {COUNTED:,}" if found > COUNTED else f"{found:,}"


def jobs(request: Request) -> Iterator[Block]:
    """The jobs, one portion at a time."""
    status, number = request.query.get("status"), request.query["page"]
    rows, more = _of_status(status, number, SIZE) if status else _of_all(number, SIZE)
    yield jobs_by_status()
    yield jobs_table(rows, "", "There are no such jobs.")
    yield page_links(request, more=more)


def _of_all(number: int, size: int) -> tuple[list[JobRow], bool]:
    query = JobRow.select().order_by(JobRow.id.desc())
    rows = list(query.limit(size + 1).offset((number - 1) * size))
    return rows[:size], len(rows) > size


def _of_status(status: str, number: int, size: int) -> tuple[list[JobRow], bool]:
    """Return a portion of the jobs of a status, the last due first, and whether there are more.

    Lane by lane, because the index is by status, lane and time: to order all jobs of a
    status otherwise, SQLite would sort them all.
    """
    found: list[tuple[Any, Any]] = []
    for lane in LANES:
        query = JobRow.select(JobRow.run_at, JobRow.id).where(
            JobRow.status == status, JobRow.lane == lane
        )
        found.extend(query.order_by(JobRow.run_at.desc()).limit(number * size + 1).tuples())
    places = [key for _, key in sorted(found, reverse=True)[(number - 1) * size : number * size]]
    rows = {row.id: row for row in JobRow.select().where(JobRow.id.in_(places))}
    # A job may have been deleted in between.
    return [rows[key] for key in places if key in rows], len(found) > number * size


def jobs_table(rows: Sequence[JobRow], caption: str, empty: str) -> Table:
    """Return jobs as a table."""
    columns = ("Job", "Status", "Progress", "Attempts", "Made", "Ended", "Error", "Id")
    return Table(columns, [_job(row) for row in rows], caption, empty)


def _job(row: JobRow) -> tuple[Any, ...]:
    return (
        row.name, Badge(row.status, _TONES.get(row.status, "plain")),
        Progress(row.done, row.total) if row.done or row.total else None,
        f"{row.attempts} of {row.max_attempts}", row.created_at, row.finished_at,
        row.error and _shortened(row.error), row.id,
    )  # fmt: skip


def events(session: "Session", request: Request) -> Iterator[Block]:
    """The log of events, one portion at a time."""
    rows, more = last_events(session, request.query["page"], SIZE)
    yield events_table(rows)
    yield page_links(request, more=more)


def last_events(session: "Session", number: int, size: int) -> tuple[list[EventRow], bool]:
    """Return a portion of the log and whether there are older events.

    Offsets are dense, so that a portion is found without reading those before it.
    """
    first = outbox.last_offset(session.databases.shop) - (number - 1) * size
    query = EventRow.select().where(EventRow.offset <= first).order_by(EventRow.offset.desc())
    rows = list(query.limit(size + 1))
    return rows[:size], len(rows) > size


def events_table(rows: Sequence[EventRow]) -> Table:
    """Return events as a table."""
    columns = ("Offset", "Event", "About", "When", "Data")
    shown = [
        (str(row.offset), row.name, row.key, row.occurred_at, _shortened(_text(row.data)))
        for row in rows
    ]
    return Table(columns, shown, empty="Nothing has happened yet.")


def _text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
