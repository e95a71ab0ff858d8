"""``/events``: what can happen, what has happened, and who has read how far."""

from typing import TYPE_CHECKING, Any

import structlog
from marshmallow import fields

from bodega.database import outbox
from bodega.database.tables import EventRow
from bodega.jobs import subscriptions
from bodega.jobs.subscriptions import STATES
from bodega_sdk import pagination
from bodega_sdk.events import Event
from bodega_sdk.http import Parameter, Request, Route
from bodega_sdk.permissions import PUBLIC
from bodega_sdk.schemas import Boolean, Dict, Integer, Schema, String, Timestamp

if TYPE_CHECKING:
    from bodega.assembly import Assembly
    from bodega.shop import Session

log = structlog.get_logger(__name__)
_LARGEST = 2**63 - 1
_FILTERS = (
    Parameter("name", str, "Only events of this name; order.* finds all that begin so."),
    Parameter("key", str, "Only events about this thing, e.g. an order's id."),
    Parameter("since", int, "Only events behind this offset.", 0, 0, _LARGEST),
)
_ORDERING = Parameter(
    "ordering", str, "By offset: the oldest first, or the newest.", "offset",
    choices=("offset", "-offset"),
)  # fmt: skip


class EventTypeSchema(Schema):
    """An event that an enabled addon declares."""

    name = String()
    version = Integer(metadata={"description": "Raised when a member changes its meaning."})
    summary = String(metadata={"description": "When it happens."})
    addon = String()
    fields_ = Dict(
        data_key="fields", attribute="fields", metadata={"description": "Member → what it means."}
    )


class OccurrenceSchema(Schema):
    """An event that happened."""

    offset = Integer(metadata={"description": "Its place in the shop's one log, from 1."})
    name = String()
    version = Integer()
    key = String(metadata={"description": "What it is about."})
    data = Dict()
    occurred_at = Timestamp()


class StandingSchema(Schema):
    """How far a subscription has read."""

    name = String()
    event = String(metadata={"description": "The name or pattern that it is to."})
    addon = String()
    batch = Integer(allow_none=True, metadata={"description": "Events at a time; null is one."})
    state = String(metadata={"enum": list(STATES)})
    offset = Integer(metadata={"description": "Everything up to here was given."})
    behind = Integer(metadata={"description": f"Unread; at most {subscriptions.COUNTED} is told."})
    oldest_unread = Timestamp(allow_none=True)
    failures = Integer(metadata={"description": "In a row."})
    error = String(allow_none=True)
    retry_at = Timestamp(allow_none=True)
    pruned = Integer(metadata={"description": "Offsets that went before it read them."})


class ReplayBodySchema(Schema):
    """From where a subscription is given events again."""

    first = Integer(data_key="from", required=True, minimum=1,
                    metadata={"description": "Offset of the first of them."})  # fmt: skip
    dry_run = Boolean(load_default=False, metadata={"description": "Only count."})


class ReplaySchema(Schema):
    """What it means, and whether it was done."""

    subscription = String()
    place = Integer(metadata={"description": "Where it stood."})
    first = Integer(data_key="from")
    events = Integer(metadata={"description": "That it is given again."})
    done = fields.Boolean()


def types(assembly: "Assembly") -> list[dict[str, Any]]:
    """Return the events that can happen, by name."""
    owners = {event.name: addon.name for addon in assembly.addons for event in addon.events}
    events = sorted(assembly.events.values(), key=lambda event: event.name)
    return [_type(event, owners.get(event.name, "")) for event in events]


def _type(event: Event, addon: str) -> dict[str, Any]:
    return {
        "name": event.name, "version": event.version, "summary": event.summary,
        "addon": addon, "fields": dict(event.fields),
    }  # fmt: skip


def shown(row: EventRow) -> dict[str, Any]:
    """Return an event as it stands in lists."""
    names = ("offset", "name", "version", "key", "data", "occurred_at")
    return {name: getattr(row, name) for name in names}


class Events:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def types(self, request: Request) -> dict[str, Any]:
        """All of them; there are never so many that they need pages."""
        return _whole(types(self._session.assembly))

    def list(self, request: Request) -> dict[str, Any]:
        """The log, by cursor: its offsets are one."""
        query, size = request.query, request.query["page_size"]
        down, since = query["ordering"].startswith("-"), query["since"]
        names = None if query.get("name") is None else [query["name"]]
        found = outbox.select(names, query.get("key")).where(EventRow.offset > since)
        count = self._count(found, names is None and query.get("key") is None, since)
        if query.get("cursor"):
            place = _place(query["cursor"])
            found = found.where(EventRow.offset < place if down else EventRow.offset > place)
        order = EventRow.offset.desc() if down else EventRow.offset
        rows = list(found.order_by(order).limit(size + 1))
        more, rows = len(rows) > size, rows[:size]
        link = request.url(cursor=str(rows[-1].offset)) if more else None
        results = [shown(row) for row in rows]
        return {"count": count, "next": link, "previous": None, "results": results}

    def _count(self, found: Any, everything: bool, since: int) -> int:
        if not everything:
            return int(found.count())
        # Offsets are dense: nothing need be counted.
        database = self._session.databases.shop
        oldest = outbox.oldest_offset(database)
        return max(0, outbox.last_offset(database) - max(since, oldest - 1))

    def subscriptions(self, request: Request) -> dict[str, Any]:
        """All of them, of disabled addons too."""
        return _whole([item.as_json() for item in subscriptions.standings(self._session)])

    def replay(self, request: Request) -> dict[str, Any]:
        """Put one back."""
        name, body = request.params["name"], request.body
        made = subscriptions.replay(self._session, name, body["first"], dry_run=body["dry_run"])
        log.info("subscription put back", subscription=name, first=made.first, done=made.done,
                 by=request.identity.subject)  # fmt: skip
        return {
            "subscription": made.subscription, "place": made.place, "from": made.first,
            "events": made.events, "done": made.done,
        }  # fmt: skip


def _place(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 19):
        raise pagination.CURSOR.wrong("Take it unchanged from 'next' of a list.", cursor)
    return min(int(cursor), _LARGEST)


def _whole(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(found), "next": None, "previous": None, "results": found}


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    events = Events(session)
    size = Parameter("page_size", int, "Events on a page.", 50, 1, 500)
    return (
        Route(
            "GET", "/events/types", events.types, PUBLIC, "List the events that can happen",
            description="Those of the enabled addons. They are also in the AsyncAPI document at "
            "/api/asyncapi.",
            returns=EventTypeSchema, listing=True,
        ),
        Route(
            "GET", "/events", events.list, "bodega.read", "Read the log of events",
            description="In order, the oldest first unless told otherwise. What is older than "
            "the operator keeps is pruned.",
            parameters=(size, pagination.CURSOR, _ORDERING, *_FILTERS),
            returns=OccurrenceSchema, listing=True,
        ),
        Route(
            "GET", "/events/subscriptions", events.subscriptions, "bodega.read",
            "List subscriptions and how far they have read",
            returns=StandingSchema, listing=True,
        ),
        Route(
            "POST", "/events/subscriptions/{name}/replay", events.replay, "bodega.write",
            "Give a subscription events again",
            description="Puts its place in the log back. Its handler runs again for events that "
            "it has dealt with before. 409 when the log does not reach back so far, or the "
            "subscription has not read so far.",
            path_types={"name": str}, body=ReplayBodySchema, returns=ReplaySchema,
        ),
    )  # fmt: skip
