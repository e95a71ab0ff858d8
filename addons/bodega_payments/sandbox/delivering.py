"""The sandbox tells the shop what happened, in the shop's own worker, signed as webhooks are."""

import time
from datetime import datetime
from uuid import UUID

import orjson

from bodega_payments.models import SandboxAnswer, SandboxEvent
from bodega_payments.sandbox.signing import sign
from bodega_sdk import JobRun, job, now


@job("payments.sandbox_tell")
def tell(run: JobRun, event_id: str) -> None:
    """Deliver one event, by the same way as those that come from outside."""
    # Not at the top: receiving asks providers, and the sandbox is one.
    from bodega_payments import receiving

    event = SandboxEvent.get_or_none(SandboxEvent.id == UUID(event_id))
    if event is None or event.delivered_at is not None:
        return
    body = body_of(event)
    receiving.receive("sandbox", {"sandbox-signature": sign(body, int(time.time()))}, body)
    SandboxEvent.update(delivered_at=now()).where(SandboxEvent.id == event.id).execute()


def body_of(event: SandboxEvent) -> bytes:
    """Return what is sent."""
    return orjson.dumps(
        {
            "id": f"evt_{event.id.hex}",
            "type": event.type,
            "created": int(event.created_at.timestamp()),
            "intent": event.intent,
            "data": {"object": event.data},
        }
    )


@job("payments.sandbox_advance")
def advance(run: JobRun) -> None:
    """Let happen what is due: banks that answer later, refunds that fail, holds that end."""
    from bodega_payments.sandbox import provider

    provider.connect().engine.advance()


def forget(oldest: datetime) -> None:
    """Delete what was told, and answered to keys, before then."""
    SandboxEvent.delete().where(SandboxEvent.created_at < oldest).execute()
    SandboxAnswer.delete().where(SandboxAnswer.created_at < oldest).execute()
