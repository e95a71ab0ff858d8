"""What providers tell by webhooks: checked, kept once, and looked into by a job."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from bodega_payments import choosing, recording
from bodega_payments.ledger import read_id
from bodega_payments.models import Payment, ReceivedEvent
from bodega_payments.providers import Misconfigured, ProviderDown, ProviderEvent, Refused
from bodega_sdk import JobRun, job, now, seal, transaction, uuid7
from bodega_sdk.errors import TryLater

#: What the bodies of events are sealed for.
SEALED_FOR = "payments events"


def receive(provider: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep what a provider tells; a job looks into it.

    Args:
        provider: its name.
        headers: by their names in lower case.
        body: as it came.

    Returns:
        Whether it is news.

    Raises:
        BadSignature: the provider has not signed it, or long ago.
        Misconfigured: there is no such provider, or it has no keys.
    """
    event = choosing.provider(provider).read_event(headers, body)
    with transaction():
        key = _keep(provider, event, body)
        if key is not None:
            handle.enqueue(event_id=str(key))
    return key is not None


def _keep(provider: str, event: ProviderEvent, body: bytes) -> UUID | None:
    """Write an event; None when it is there already."""
    key = uuid7()
    row = {
        "id": key, "created_at": now(), "updated_at": now(), "provider": provider,
        "event_id": event.id[:255], "type": event.type[:100], "intent": event.intent[:255],
        # It has secrets of the payment in it, and the customer's address.
        "body": seal(SEALED_FOR, body.decode(errors="replace")), "told_at": event.created_at,
        "outcome": "",
    }  # fmt: skip
    ReceivedEvent.insert(row).on_conflict_ignore().execute()
    same = (ReceivedEvent.provider == provider) & (ReceivedEvent.event_id == event.id[:255])
    return key if ReceivedEvent.get(same).id == key else None


@job("payments.event", max_attempts=10)
def handle(run: JobRun, event_id: str) -> None:
    """Ask the provider what the payment of an event has come to."""
    event = ReceivedEvent.get_or_none(ReceivedEvent.id == UUID(event_id))
    if event is None or event.handled_at is not None:
        return
    outcome = _looked_into(event)
    ReceivedEvent.update(handled_at=now(), outcome=outcome).where(
        ReceivedEvent.id == event.id
    ).execute()


def _looked_into(event: ReceivedEvent) -> str:
    if not event.intent:
        return "not about a payment"
    try:
        return _recorded(event.provider, event.intent)
    except Refused as error:
        return f"the provider refused: {error}"[:300]
    except (ProviderDown, Misconfigured) as error:
        raise TryLater(str(error), timedelta(seconds=30)) from error


def _recorded(provider: str, intent: str) -> str:
    same = (Payment.provider == provider) & (Payment.provider_id == intent)
    payment = Payment.get_or_none(same)
    if payment is not None:
        recording.refresh(payment.id)
        return "recorded"
    # We may not know its id yet: the answer that said it was lost, or is on its way.
    found = choosing.provider(provider).retrieve_intent(intent)
    key = read_id(found.reference)
    ours = (Payment.id == key) & (Payment.provider == provider) & Payment.provider_id.is_null()
    payment = Payment.get_or_none(ours) if key else None
    if payment is None:
        return "not ours"
    recording.follow(payment.id, found, payment.revision)
    return "recorded"
