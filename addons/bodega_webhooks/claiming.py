"""Which webhooks this process sends to, and what is due for them.

A webhook is sent to by one process at a time, which holds it with a lease. So its rate,
its concurrency, its order and its breaker need be known in one place only, and a delivery
is written to once, when it is made. Which webhook is whose is decided row by row with
``FOR UPDATE SKIP LOCKED`` on PostgreSQL, and by the single writer on SQLite.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bodega_sdk import now, transaction
from bodega_webhooks.parcels import Parcel
from bodega_webhooks.statements import fetch, fetch_many, marks, on_postgres, run, stamp

#: How long a webhook is ours unless renewed, and how often it is.
LEASE = timedelta(seconds=15)
RENEWED_EVERY = 5.0
#: Webhooks taken at a time, so that several processes share them out.
AT_ONCE = 16

_DUE = (
    "SELECT e.webhook_id, e.failures, e.failing_since FROM webhooks_endpoint AS e "
    "JOIN webhooks_webhook AS w ON w.id = e.webhook_id "
    "WHERE w.enabled AND e.lease_until <= ? AND e.paused_until <= ? AND EXISTS ("
    "SELECT 1 FROM webhooks_delivery AS d WHERE d.webhook_id = e.webhook_id "
    "AND d.status = 'waiting' AND d.due_at <= ?) "
)
_COLUMNS = (
    "d.id", "d.message_id", "d.event_type", "d.ordering_key", "d.tries", "d.attempts", "d.due_at",
    "d.payload",
)  # fmt: skip
_PARCELS = (
    "FROM webhooks_delivery AS d WHERE d.webhook_id = ? AND d.status = 'waiting' AND d.due_at <= ? "
)
# What is not due yet holds back what comes behind it.
_IN_ORDER = (
    "AND NOT EXISTS (SELECT 1 FROM webhooks_delivery AS e WHERE e.webhook_id = d.webhook_id "
    "AND e.status = 'waiting' AND e.ordering_key = d.ordering_key "
    "AND e.event_offset < d.event_offset AND e.due_at > ?) "
)


@dataclass(frozen=True, slots=True)
class Held:
    """A webhook that was taken, and how its endpoint was.

    Args:
        failures: one after the other.
    """

    webhook: str
    failures: int
    failing_since: datetime | None


def anything_due(but: Iterable[str] = ()) -> bool:
    """Whether some webhook that nobody sends to has something due."""
    return bool(_free(but, "LIMIT 1"))


def take(sender: str, but: Iterable[str] = (), limit: int = AT_ONCE) -> list[Held]:
    """Take webhooks that have something due and that nobody sends to.

    Args:
        sender: who takes them.
        but: webhooks to leave out.
    """
    lock = " FOR UPDATE OF e SKIP LOCKED" if on_postgres() else ""
    with transaction():
        rows = _free(but, f"LIMIT {int(limit)}{lock}")
        held = [Held(_hex(row[0]), row[1], _moment(row[2])) for row in rows]
        if held:
            ids = [item.webhook for item in held]
            run(
                "UPDATE webhooks_endpoint SET sender = ?, lease_until = ? "
                f"WHERE webhook_id IN ({marks(len(ids))})",
                (sender, stamp(now() + LEASE), *ids),
            )
    return held


def _free(but: Iterable[str], end: str) -> list[tuple[Any, ...]]:
    left_out, at = tuple(but), stamp(now())
    narrowed = f"AND e.webhook_id NOT IN ({marks(len(left_out))}) " if left_out else ""
    return fetch(f"{_DUE}{narrowed}ORDER BY e.lease_until {end}", (at, at, at, *left_out))


def renew(sender: str) -> set[str]:
    """Lengthen the leases that last; return the webhooks that are held."""
    with transaction():
        rows = run(
            "UPDATE webhooks_endpoint SET lease_until = ? "
            "WHERE sender = ? AND lease_until > ? RETURNING webhook_id",
            (stamp(now() + LEASE), sender, stamp(now())),
        ).fetchall()
    return {_hex(row[0]) for row in rows}


def release(sender: str, rests: Mapping[str, float]) -> None:
    """Let go of webhooks.

    Args:
        rests: webhook → seconds until another process may send to it.
    """
    if not rests:
        return
    with transaction():
        for webhook, rest in rests.items():
            run(
                "UPDATE webhooks_endpoint SET sender = '', lease_until = ? "
                "WHERE webhook_id = ? AND sender = ?",
                (stamp(now() + timedelta(seconds=rest)), webhook, sender),
            )


#: What is read of a webhook: how many parcels, whether in order, and behind which date and id.
Wanted = tuple[int, bool, tuple[str, str] | None]


def due(webhook: str, wanted: Wanted) -> list[tuple[Parcel, str]]:
    """Return what is due for a webhook, oldest first, with the ids of their payloads."""
    limit, ordered, after = wanted
    at = stamp(now())
    values: tuple[str, ...]
    if ordered:
        sql, values = f"{_PARCELS}{_IN_ORDER}ORDER BY d.event_offset, d.id", (webhook, at, at)
    else:
        behind = "AND (d.due_at, d.id) > (?, ?) " if after else ""
        sql, values = f"{_PARCELS}{behind}ORDER BY d.due_at, d.id", (webhook, at, *(after or ()))
    return [
        (_parcel(webhook, row), row[7])
        for row in fetch_many(_COLUMNS, f"{sql} LIMIT {int(limit)}", values)
    ]


def bodies(payloads: Iterable[str]) -> dict[str, bytes]:
    """Return the bodies of payloads; those that are no longer kept are not among them."""
    wanted, found = list(payloads), {}
    for begin in range(0, len(wanted), 500):
        part = wanted[begin : begin + 500]
        rest = f"FROM webhooks_payload WHERE id IN ({marks(len(part))})"
        rows = fetch_many(("id", "body"), rest, part)
        found.update({key: body.encode() for key, body in rows})
    return found


def _parcel(webhook: str, row: Sequence[Any]) -> Parcel:
    key, message, event_type, ordering, tries, attempts, due_at, _ = row
    ident, due_text = _hex(key), _text(due_at)
    return Parcel(ident, webhook, message, event_type, ordering, tries, attempts, due_text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else stamp(value)


def _hex(value: Any) -> str:
    return str(value).replace("-", "")


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
