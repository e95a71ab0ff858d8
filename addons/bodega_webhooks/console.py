"""The console's pages about webhooks."""

from collections.abc import Iterator
from typing import Any

from bodega_sdk import ConsolePage, Parameter, Request, now
from bodega_sdk.console import PAGE, Badge, Block, Facts, Link, Notice, Table, page_links
from bodega_webhooks import api
from bodega_webhooks.models import DELIVERED, STATUSES, WAITING, Delivery, Endpoint, Webhook

_SIZE = 50
_READ = "webhooks.read"


def pages() -> list[ConsolePage]:
    """Return the pages."""
    status = Parameter("status", str, "Only of this status.", choices=STATUSES)
    about = "What other systems were told, the newest first."
    return [
        ConsolePage("webhooks", "Webhooks", _READ, webhooks, "Which systems are told what.",
                    (PAGE,)),
        ConsolePage("webhooks/deliveries", "Deliveries", _READ, deliveries, about, (status, PAGE)),
    ]  # fmt: skip


def webhooks(request: Request) -> Iterator[Block]:
    """Webhooks, the newest first."""
    found = api.counts()
    yield Facts([
        ("Webhooks", f"{found.enabled_webhooks} of {found.configured_webhooks} enabled"),
        ("Delivered", str(found.total_events_sent)),
        ("Waiting", str(found.waiting_events)),
        ("Given up", str(found.failed_events)),
    ])  # fmt: skip
    rows, more = _page(Webhook.select().order_by(Webhook.id.desc()), request)
    broken = [row for row in rows if not row.enabled and row.disabled_reason != "by hand"]
    for row in broken:
        yield Notice(f"{row.url} was disabled: {row.disabled_reason}.", "bad")
    health = _health([row.id for row in rows])
    columns = ("Address", "Description", "Events", "State", "Failures in a row", "Since")
    yield Table(columns, [
        (row.url, row.description, ", ".join(row.event_types), _state(row, health.get(row.id)),
         health[row.id].failures if row.id in health else 0, row.created_at)
        for row in rows
    ], caption="Webhooks")  # fmt: skip
    yield page_links(request, more=more)


def _health(ids: list[Any]) -> dict[Any, Endpoint]:
    query = Endpoint.select().where(Endpoint.webhook.in_(ids))
    return {row.webhook_id: row for row in query}


def _state(row: Webhook, endpoint: Endpoint | None) -> Badge:
    if not row.enabled:
        return Badge("disabled", "bad")
    if endpoint is not None and endpoint.paused_until > now():
        return Badge("resting", "warning")
    if endpoint is not None and endpoint.failures:
        return Badge("failing", "warning")
    return Badge("well", "good")


def deliveries(request: Request) -> Iterator[Block]:
    """Deliveries, the newest first."""
    query = Delivery.select(Delivery, Webhook).join(Webhook).order_by(Delivery.created_at.desc())
    if "status" in request.query:
        query = query.where(Delivery.status == request.query["status"])
    rows, more = _page(query, request)
    columns = ("Message", "Event", "About", "To", "State", "Attempts", "Last answer", "Made")
    yield Table(columns, [
        (Link(row.message_id, f"/api/v1/webhooks/deliveries/{row.id}"), row.event_type,
         row.event_key, row.webhook.url, _status(row), row.attempts,
         row.error or row.response_status, row.created_at)
        for row in rows
    ], caption="Deliveries")  # fmt: skip
    yield page_links(request, more=more)


def _status(row: Delivery) -> Badge:
    if row.status == DELIVERED:
        return Badge("delivered", "good")
    if row.status == WAITING:
        return Badge("waiting", "warning" if row.tries else "plain")
    return Badge("given up", "bad")


def _page(query: Any, request: Request) -> tuple[list[Any], bool]:
    """Return the rows of a page, and whether there are more."""
    number = request.query["page"]
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    return rows[:_SIZE], len(rows) > _SIZE
