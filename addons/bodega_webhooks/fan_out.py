"""From the log of events to deliveries: who gets what, written in bulk."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from bodega_sdk import Occurrence, now, transaction, uuid7
from bodega_sdk.bulk import insert_or_update
from bodega_webhooks.filters import is_met
from bodega_webhooks.models import FAILED, WAITING, Delivery, Payload, Webhook
from bodega_webhooks.patterns import any_matches
from bodega_webhooks.payloads import Bodies, Rendered, compatible, whole

#: The type of the event that a test sends.
TEST = "webhook.test"
_FIELDS = (
    "id", "created_at", "updated_at", "webhook", "message_id", "payload", "event_offset",
    "event_type", "event_key", "ordering_key", "status", "due_at", "tries", "attempts", "error",
)  # fmt: skip


def fan_out(batch: list[Occurrence]) -> None:
    """Write down the deliveries of some events; called in a transaction, with its place."""
    webhooks = list(Webhook.select().where(Webhook.enabled))
    if webhooks:
        write(batch, webhooks)


def wants(webhook: Webhook, event: Occurrence, payload: dict[str, Any]) -> bool:
    """Whether a webhook is to be told of an event.

    Args:
        payload: the event as filters see it.
    """
    if not any_matches(webhook.event_types, event.name):
        return False
    return webhook.payload_filter is None or is_met(webhook.payload_filter, payload)


def matching(
    batch: Iterable[Occurrence], webhooks: Sequence[Webhook]
) -> Iterator[tuple[Occurrence, Webhook]]:
    """Yield who is to be told of what."""
    for event in batch:
        payload = whole(event)
        for webhook in webhooks:
            if wants(webhook, event, payload):
                yield event, webhook


def write(batch: Iterable[Occurrence], webhooks: Sequence[Webhook]) -> int:
    """Write down what some webhooks are to be told of some events; return how much.

    What is written down already stays as it is: the id of a message says which it is.
    """
    bodies, at = Bodies(), now()
    rows = [
        _row(event, webhook, bodies.of(event, webhook), at)
        for event, webhook in matching(batch, webhooks)
    ]
    made = {item.id: item for item in bodies.made.values()}
    _insert(rows, [(item.id, item.body, at) for item in made.values()])
    return len(rows)


def _insert(rows: Sequence[Sequence[Any]], payloads: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    with transaction():
        insert_or_update(
            Payload, ("id", "body", "created_at"), payloads, key="id", update=("created_at",)
        )
        # Nothing is changed in one that is there: it keeps its id.
        insert_or_update(Delivery, _FIELDS, rows, key="message_id", update=("message_id",))


def _row(event: Occurrence, webhook: Webhook, rendered: Rendered, at: datetime) -> tuple[Any, ...]:
    ordering = event.key if webhook.ordered else None
    status = FAILED if rendered.fault else WAITING
    return (
        uuid7(), at, at, webhook.id, message_id(webhook.id, event.offset), rendered.id,
        event.offset, event.name, event.key, ordering, status, at, 0, 0, rendered.fault[:300],
    )  # fmt: skip


def message_id(webhook: UUID, offset: int) -> str:
    """Return the id of what a webhook is told of an event, the same for ever."""
    return f"msg_{blake2b(webhook.bytes + offset.to_bytes(8), digest_size=16).hexdigest()}"


def write_test(webhook: Webhook) -> UUID:
    """Write down a test; return its delivery's id."""
    key, at = uuid7(), now()
    data = {"id": str(webhook.id), "message": "This is a test."}
    if webhook.format == "compatible":
        body = compatible(TEST, at, data)
    else:
        told = {"type": TEST, "timestamp": at, "version": 1, "key": str(webhook.id), "data": data}
        body = orjson.dumps(told, option=orjson.OPT_UTC_Z).decode()
    payload = f"test.{key.hex}"
    row = (
        key, at, at, webhook.id, f"msg_{key.hex}", payload, None, TEST, str(webhook.id), None,
        WAITING, at, 0, 0, "",
    )  # fmt: skip
    _insert([row], [(payload, body, at)])
    return key
