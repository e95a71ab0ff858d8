"""The job that sends deliveries to services: outside of transactions, and again if need be."""

from typing import Any, NoReturn
from uuid import UUID

from bodega_notifications import addressing
from bodega_notifications.models import Delivery, Notification
from bodega_notifications.services import NotSent, Refused, deliver
from bodega_notifications.wording import Message
from bodega_sdk import JobRun, job, now
from bodega_sdk.errors import PermanentFailure

#: About an hour, with the waits of jobs.
ATTEMPTS = 12


@job("notifications.send", lane="mail", max_attempts=ATTEMPTS)
def send(run: JobRun, deliveries: list[str]) -> None:
    """Send notifications that go to one place, as one message.

    A worker that dies right after sending leaves them to another, which sends them again.
    """
    group = _queued(deliveries)
    if not group:
        return
    url = addressing.url_of(group[0])
    if url is None:
        _give_up(run, group, "the place it should go to is gone")
    try:
        deliver(url, message_of(group), personal=group[0].channel == "push")
    except Refused as error:
        _give_up(run, group, str(error))
    except NotSent as error:
        if run.attempt >= ATTEMPTS:
            _give_up(run, group, f"given up after {run.attempt} tries: {error}")
        _became(run, group, attempts=run.attempt, error=str(error))
        raise
    _became(run, group, status="sent", attempts=run.attempt, error="", sent_at=now())


def _queued(ids: list[str]) -> list[Delivery]:
    wanted = Delivery.id.in_([UUID(item) for item in ids]) & (Delivery.status == "queued")
    query = Delivery.select(Delivery, Notification).join(Notification).where(wanted)
    return list(query.order_by(Delivery.id))


def message_of(group: list[Delivery]) -> Message:
    """Return what deliveries say together."""
    notes = [item.notification for item in group]
    if len(notes) == 1:
        return Message(notes[0].title, notes[0].text)
    titles = "\n".join(f"- {note.title}" for note in notes)
    return Message(f"{len(notes)}: {notes[0].title}", titles)


def _give_up(run: JobRun, group: list[Delivery], reason: str) -> NoReturn:
    _became(run, group, status="failed", attempts=run.attempt, error=reason)
    raise PermanentFailure(reason)


def _became(run: JobRun, group: list[Delivery], **changes: Any) -> None:
    ids = [item.id for item in group]
    with run.transaction():
        Delivery.update(updated_at=now(), **changes).where(Delivery.id.in_(ids)).execute()
