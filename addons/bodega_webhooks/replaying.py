"""Delivering once more: a job that goes on where it was interrupted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from bodega_sdk import JobRun, Occurrence, job, newest_offset, now, read_log, transaction, uuid7
from bodega_sdk.errors import PermanentFailure
from bodega_webhooks.fan_out import matching, message_id, write
from bodega_webhooks.models import WAITING, Delivery, Webhook
from bodega_webhooks.patterns import any_matches

#: Deliveries, or events, at a time.
CHUNK = 500


def begin(webhook: UUID, wanted: Mapping[str, Any]) -> UUID:
    """Have a worker deliver once more; return the job's id.

    Args:
        wanted: status, event_types, since, until and missed.
    """
    told = {name: wanted[name] for name in ("status", "event_types", "missed")}
    # What comes later is not meant: it would be sent anyhow.
    bounds = {"up_to": str(uuid7()), "until_offset": newest_offset()}
    times = {name: wanted[name] and wanted[name].isoformat() for name in ("since", "until")}
    with transaction():
        return replay.enqueue(webhook=str(webhook), wanted=told | times | bounds)


@job("webhooks.replay", max_attempts=20)
def replay(run: JobRun, webhook: str, wanted: dict[str, Any]) -> None:
    """Deliver once more what is wanted, and then what was never told."""
    wanted = wanted | {name: _moment(wanted[name]) for name in ("since", "until")}
    key = UUID(webhook)
    total = count(key, wanted)
    while _replay_some(run, key, wanted, total):
        pass
    while wanted["missed"] and _tell_some(run, key, wanted):
        pass


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _replay_some(run: JobRun, webhook: UUID, wanted: Mapping[str, Any], total: int) -> bool:
    place = run.checkpoint
    done, after = place.get("done", 0), place.get("after")
    query = _wanted(webhook, wanted)
    if after:
        query = query.where(Delivery.id > UUID(after))
    with run.transaction():
        ids = [row.id for row in query.order_by(Delivery.id).limit(CHUNK)]
        again(ids)
        if ids:
            done += len(ids)
            run.save(place | {"after": str(ids[-1]), "done": done}, done=done,
                     total=max(total, done))  # fmt: skip
    return len(ids) == CHUNK


def again(ids: Sequence[UUID]) -> None:
    """Have deliveries made once more, as if for the first time; their ids stay."""
    at = now()
    changes = {"status": WAITING, "due_at": at, "tries": 0, "error": "", "updated_at": at}
    if ids:
        Delivery.update(changes).where(Delivery.id.in_(ids)).execute()


def _wanted(webhook: UUID, wanted: Mapping[str, Any]) -> Any:
    query = Delivery.select(Delivery.id).where(
        Delivery.webhook == webhook, Delivery.event_offset.is_null(False)
    )
    if wanted["status"] != "any":
        query = query.where(Delivery.status == wanted["status"])
    if wanted.get("up_to"):
        query = query.where(Delivery.id <= UUID(wanted["up_to"]))
    if wanted["since"]:
        query = query.where(Delivery.created_at >= wanted["since"])
    if wanted["until"]:
        query = query.where(Delivery.created_at <= wanted["until"])
    if wanted["event_types"]:
        query = query.where(reduce(or_, map(_is_type, wanted["event_types"])))
    return query


def _is_type(pattern: str) -> Any:
    if pattern.endswith("*"):
        return Delivery.event_type.startswith(pattern[:-1])
    return Delivery.event_type == pattern


def count(webhook: UUID, wanted: Mapping[str, Any]) -> int:
    """Return how many deliveries would be made."""
    number: int = _wanted(webhook, wanted).count()
    return number + (_count_missed(webhook, wanted) if wanted["missed"] else 0)


# What was never told.


def _tell_some(run: JobRun, webhook: UUID, wanted: Mapping[str, Any]) -> bool:
    place = run.checkpoint
    with run.transaction():
        row = Webhook.find(webhook)
        if row is None:
            raise PermanentFailure("the webhook was deleted")
        batch = read_log(place.get("offset", 0), CHUNK, until=wanted["until_offset"])
        missing = _missed(row, batch, wanted)
        write(missing, [row])
        if batch:
            done = place.get("done", 0) + len(missing)
            run.save(place | {"offset": batch[-1].offset, "done": done}, done=done)
    return bool(batch)


def _missed(
    webhook: Webhook, batch: Sequence[Occurrence], wanted: Mapping[str, Any]
) -> list[Occurrence]:
    """Return the events that a webhook wants and has no delivery of."""
    meant = [event for event, _ in matching(batch, [webhook]) if _is_meant(event, wanted)]
    ids = {message_id(webhook.id, event.offset): event for event in meant}
    there = Delivery.select(Delivery.message_id).where(Delivery.message_id.in_([*ids]))
    for row in there:
        del ids[row.message_id]
    return list(ids.values())


def _is_meant(event: Occurrence, wanted: Mapping[str, Any]) -> bool:
    if wanted["since"] and event.occurred_at < wanted["since"]:
        return False
    if wanted["until"] and event.occurred_at > wanted["until"]:
        return False
    return not wanted["event_types"] or any_matches(wanted["event_types"], event.name)


def _count_missed(webhook: UUID, wanted: Mapping[str, Any]) -> int:
    row, after, number = Webhook.find(webhook), 0, 0
    while row is not None and (batch := read_log(after, CHUNK, until=wanted.get("until_offset"))):
        number += len(_missed(row, batch, wanted))
        after = batch[-1].offset
    return number
