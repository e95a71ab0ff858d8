"""Writing down what came of attempts, all of a round at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bodega_sdk import now, setting, transaction, uuid7
from bodega_webhooks.disabling import disable
from bodega_webhooks.models import DELIVERED, FAILED, WAITING
from bodega_webhooks.parcels import Parcel, Result
from bodega_webhooks.retrying import wait_before
from bodega_webhooks.statements import insert_each, run, stamp, update_each

_ATTEMPT = (
    ("id", "uuid"), ("delivery", "uuid"), ("number", "int"), ("started_at", "timestamptz"),
    ("milliseconds", "int"), ("status", "int"), ("error", "varchar"), ("request", "text"),
    ("response_headers", "text"), ("response_body", "text"),
)  # fmt: skip
_DELIVERY = (
    ("id", "uuid"), ("status", "varchar"), ("due_at", "timestamptz"), ("tries", "int"),
    ("attempts", "int"), ("response_status", "int"), ("error", "varchar"),
    ("delivered_at", "timestamptz"), ("updated_at", "timestamptz"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint is, as its lane has seen it.

    Args:
        failures: one after the other.
        failing_since: the first of them.
        paused_until: nothing is sent to it before then.
    """

    webhook: str
    failures: int
    failing_since: datetime | None
    paused_until: datetime | None


def record(results: Sequence[Result], healths: Iterable[Health]) -> None:
    """Write down attempts, what becomes of their deliveries, and how endpoints are."""
    with transaction():
        if results:
            insert_each("webhooks_attempt", _ATTEMPT, _attempts(results))
            # A delivery that was made stays so, whatever a paused worker has to tell.
            still = "d.status = 'waiting' AND (v.status = 'delivered' OR d.attempts < v.attempts)"
            update_each("webhooks_delivery", _DELIVERY, _deliveries(results), still)
        for health in healths:
            _note(health)
        for webhook, reason in _to_disable(results, healths):
            disable(webhook, reason)


def _attempts(results: Sequence[Result]) -> Iterator[tuple[Any, ...]]:
    # One id is made, and counted on from: thousands of them would take longer than the rows.
    first = uuid7().int
    for place, result in enumerate(results):
        parcel = result.parcel
        yield (
            f"{first + place:032x}", parcel.id, parcel.attempts + 1, stamp(result.started_at),
            result.milliseconds, result.status, result.error[:300], result.request,
            result.response_headers, result.response_body,
        )  # fmt: skip


def _deliveries(results: Sequence[Result]) -> Iterator[tuple[Any, ...]]:
    at = now()
    text = stamp(at)
    for result in results:
        parcel, tries = result.parcel, result.parcel.tries + 1
        counted = (tries, parcel.attempts + 1, result.status)
        if result.delivered:
            yield (parcel.id, DELIVERED, text, *counted, "", text, text)
        else:
            status, due_at = _next(result, at)
            yield (parcel.id, status, stamp(due_at), *counted, result.error[:300], None, text)


def _next(result: Result, at: datetime) -> tuple[str, datetime]:
    """Return what becomes of a delivery that failed, and when it is due again if it waits."""
    wait = None if result.gone else wait_before(result.parcel.tries + 1, result.retry_after)
    return (FAILED, at) if wait is None else (WAITING, at + wait)


def _note(health: Health) -> None:
    values = (
        health.failures, health.failing_since and stamp(health.failing_since),
        stamp(health.paused_until or now()), health.webhook,
    )  # fmt: skip
    run(
        "UPDATE webhooks_endpoint SET failures = ?, failing_since = ?, paused_until = ? "
        "WHERE webhook_id = ?",
        values,
    )


def _to_disable(results: Sequence[Result], healths: Iterable[Health]) -> Iterator[tuple[str, str]]:
    for webhook in {result.parcel.webhook for result in results if result.gone}:
        yield webhook, "the receiver answered 410: it is gone"
    days: int = setting("webhooks.disable_after_days")
    for health in healths:
        since = health.failing_since
        if since is not None and now() - since >= timedelta(days=days):
            yield health.webhook, f"nothing but failures for {days} days"


def give_up(parcels: Sequence[Parcel], reason: str) -> None:
    """Write down that deliveries cannot be made."""
    at = stamp(now())
    rows = [
        (parcel.id, FAILED, at, parcel.tries, parcel.attempts + 1, None, reason, None, at)
        for parcel in parcels
    ]
    with transaction():
        update_each("webhooks_delivery", _DELIVERY, rows, "d.status = 'waiting'")
