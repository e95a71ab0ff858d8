"""``/jobs`` and ``/schedules``: what the workers do."""

from typing import TYPE_CHECKING, Any

import structlog
from marshmallow import fields

from bodega.database.tables import JobRow
from bodega.jobs import administration
from bodega.jobs.administration import STATUSES
from bodega_sdk import pagination
from bodega_sdk.http import Parameter, Request, Route
from bodega_sdk.jobs import LANES
from bodega_sdk.schemas import Dict, Integer, Schema, String, Timestamp, Uuid

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger(__name__)
_FILTERS = (
    Parameter("status", str, "Only jobs of this status; dead letters are 'dead'.",
              choices=STATUSES),
    Parameter("name", str, "Only jobs of this name."),
    Parameter("lane", str, "Only jobs of this lane.", choices=LANES),
    Parameter("addon", str, "Only jobs of this addon."),
)  # fmt: skip


class JobSchema(Schema):
    """A job and how far it is."""

    id = Uuid()
    name = String()
    addon = String()
    lane = String(metadata={"enum": list(LANES)})
    status = String(metadata={"enum": list(STATUSES)})
    attempts = Integer()
    max_attempts = Integer()
    done = Integer(metadata={"description": "Progress in the job's own unit."})
    total = Integer(allow_none=True, metadata={"description": "None while it is unknown."})
    progress = fields.Float(allow_none=True, metadata={"description": "In per cent."})
    error = String(allow_none=True, metadata={"description": "Why the last attempt failed."})
    worker = String(allow_none=True)
    run_at = Timestamp(metadata={"description": "It does not run before."})
    created_at = Timestamp()
    started_at = Timestamp(allow_none=True)
    finished_at = Timestamp(allow_none=True)


class JobItemSchema(JobSchema):
    """A job with what it was given."""

    payload = Dict()


class ScheduleSchema(Schema):
    """A job that is enqueued again and again."""

    name = String()
    addon = String()
    every = fields.Float(metadata={"description": "Seconds."})
    due = Timestamp(allow_none=True)
    last_job = Uuid(allow_none=True)
    last_status = String(allow_none=True, metadata={"enum": [*STATUSES, None]})


class Jobs:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._shop = session.shop

    def list(self, request: Request) -> dict[str, Any]:
        """Jobs, newest first: their ids are in the order of their making."""
        wanted = {item.name: request.query.get(item.name) for item in _FILTERS}
        query = administration.select(**wanted)
        count, newest = pagination.count_rows(query), pagination.Ordering.by(JobRow.id)
        rows, envelope = pagination.paginate(query, request, newest, descending=True, count=count)
        return envelope | {"results": [administration.as_json(row) for row in rows]}

    def read(self, request: Request) -> dict[str, Any]:
        """One job."""
        return administration.with_payload(administration.find(request.params["id"]))

    def retry(self, request: Request) -> dict[str, Any]:
        """Try one again."""
        row = administration.retry(self._shop, request.params["id"])
        return _done("job queued again", request, row)

    def cancel(self, request: Request) -> dict[str, Any]:
        """Stop one."""
        row = administration.cancel(self._shop, request.params["id"])
        return _done("job cancelled", request, row)

    def schedules(self, request: Request) -> dict[str, Any]:
        """All schedules; there are never so many that they need pages."""
        found = administration.schedules(self._shop)
        return {"count": len(found), "next": None, "previous": None, "results": found}


def _done(fact: str, request: Request, row: JobRow) -> dict[str, Any]:
    log.info(fact, job=row.name, job_id=str(row.id), by=request.identity.subject)
    return administration.with_payload(row)


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    jobs = Jobs(session)
    return (
        Route(
            "GET", "/jobs", jobs.list, "bodega.read", "List jobs, newest first",
            parameters=(*pagination.parameters(20, 200), *_FILTERS),
            returns=JobSchema, listing=True,
        ),
        Route("GET", "/jobs/{id}", jobs.read, "bodega.read", "Read a job", returns=JobItemSchema),
        Route(
            "POST", "/jobs/{id}/retry", jobs.retry, "bodega.write", "Try a job again",
            description="Only a dead or cancelled one. It gets all its attempts back and goes on "
            "from its checkpoint; while its addon is disabled it is parked.",
            returns=JobItemSchema,
        ),
        Route(
            "POST", "/jobs/{id}/cancel", jobs.cancel, "bodega.write", "Cancel a job",
            description="Only one that has not ended. A running one writes nothing more: its next "
            "transaction is rolled back.",
            returns=JobItemSchema,
        ),
        Route(
            "GET", "/schedules", jobs.schedules, "bodega.read", "List schedules",
            returns=ScheduleSchema, listing=True,
        ),
    )  # fmt: skip
