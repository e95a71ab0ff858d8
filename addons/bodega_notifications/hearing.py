"""Listening to the shop's log: every event may be news to somebody."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import peewee
import structlog

from bodega_notifications.kinds import NotificationType, account_ids
from bodega_notifications.making import Fact, make
from bodega_notifications.registry import known
from bodega_sdk import JobRun, Occurrence, job, transaction

log = structlog.get_logger(__name__)
#: Trouble of the database is nobody's mistake: the whole batch is tried again.
_NOT_THEIRS = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)


def hear(events: list[Occurrence]) -> None:
    """Tell people of events; runs in the transaction in which their place in the log moves."""
    wanted: dict[str, list[NotificationType]] = defaultdict(list)
    for kind in known().values():
        if kind.event:
            wanted[kind.event].append(kind)
    pairs = [(kind, event) for event in events for kind in wanted.get(event.name, ())]
    make(fact for kind, event in pairs if (fact := _heard(kind, event)) is not None)


def _heard(kind: NotificationType, event: Occurrence) -> Fact | None:
    """Return the fact for a type, None when it is no news.

    A type that fails here is asked again by a job: it must hold up nobody else's news.
    """
    try:
        with transaction():
            return fact_of(kind, event)
    except _NOT_THEIRS:
        raise
    except Exception:
        log.exception("a type of notifications failed; a job tries again", type=kind.name)
        hear_again.enqueue(type=kind.name, event=_packed(event))
        return None


def fact_of(kind: NotificationType, event: Occurrence) -> Fact | None:
    """Return the fact that an event is for a type; None when it is no news."""
    if not kind.when(event):
        return None
    accounts = account_ids(kind.audience(event))
    return Fact(kind, f"event {event.offset}", accounts, event.data)


@job("notifications.hear_again", max_attempts=12)
def hear_again(run: JobRun, type: str, event: dict[str, Any]) -> None:
    """Tell of an event whose type failed at the first hearing."""
    kind = known().get(type)
    with run.transaction():
        fact = fact_of(kind, _unpacked(event)) if kind else None
        make(_present([fact]))


def _present(facts: Iterable[Fact | None]) -> list[Fact]:
    return [fact for fact in facts if fact is not None]


def _packed(event: Occurrence) -> dict[str, Any]:
    return asdict(event) | {"occurred_at": event.occurred_at.isoformat()}


def _unpacked(packed: dict[str, Any]) -> Occurrence:
    return Occurrence(**packed | {"occurred_at": datetime.fromisoformat(packed["occurred_at"])})
