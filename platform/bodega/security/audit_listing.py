"""Entries of the audit log as operators look for them."""

import json
from datetime import UTC, datetime
from typing import Any

import peewee

from bodega.database.tables import AuditRow


def select(
    *,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> peewee.ModelSelect:
    """Return the query of the entries that are wanted; order it by ``seq``.

    Args:
        action: or the beginning of one with ``*`` behind it, ``account.*``.
        since, until: the first instant and the one behind the last.
    """
    query = AuditRow.select()
    for field, wanted in ((AuditRow.actor, actor), (AuditRow.target, target)):
        if wanted is not None:
            query = query.where(field == wanted)
    if action is not None:
        start = action.removesuffix("*")
        same = AuditRow.action == action
        query = query.where(AuditRow.action.startswith(start) if start != action else same)
    if since is not None:
        query = query.where(AuditRow.at >= since)
    if until is not None:
        query = query.where(AuditRow.at < until)
    return query


def read_instant(text: str) -> datetime:
    """Read ``2026-01-31`` or ``2026-01-31T12:00:00Z``; without a zone it is in UTC.

    Raises:
        ValueError: it is neither.
    """
    found = datetime.fromisoformat(text)
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def as_json(row: AuditRow) -> dict[str, Any]:
    """Return an entry as the API and ``--json`` show it."""
    return {
        "seq": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "target": row.target,
        "address": row.address,
        "request_id": row.request_id,
        "details": details(row),
        "hash": row.hash,
    }


def details(row: AuditRow) -> dict[str, Any]:
    """Return what stands in the details; what somebody made of them is shown, too."""
    try:
        found = json.loads(row.details)
    except ValueError:
        return {"unreadable": row.details}
    return found if isinstance(found, dict) else {"unreadable": row.details}
