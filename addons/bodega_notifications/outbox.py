"""The outbox: what left the shop, what waits, and what nobody set an address for."""

from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_notifications.kinds import CHANNELS
from bodega_notifications.models import Delivery, Notification
from bodega_sdk.errors import FieldError, NotFound

STATUSES = ("waiting", "queued", "mailed", "sent", "kept", "skipped", "failed")
#: The ways on which something leaves the shop.
WAYS = tuple(item for item in CHANNELS if item != "in_app")


def select(*, channel: str | None = None, status: str | None = None) -> Any:
    """Return the query of deliveries with their notifications, the newest first."""
    query = Delivery.select(Delivery, Notification).join(Notification)
    if channel is not None:
        query = query.where(Delivery.channel == channel)
    if status is not None:
        query = query.where(Delivery.status == status)
    return query.order_by(Delivery.id.desc())


def find(delivery_id: UUID) -> Delivery:
    """Return a delivery with its notification.

    Raises:
        NotFound: there is none with this id.
    """
    row: Delivery | None = select().where(Delivery.id == delivery_id).first()
    if row is None:
        raise NotFound(
            f"There is no delivery {delivery_id}; list the outbox for their ids.",
            [FieldError("id", "No delivery has this id.", str(delivery_id))],
        )
    return row


def addressees(rows: list[Delivery]) -> dict[UUID, str]:
    """Return whom deliveries go to, by the delivery's id."""
    people = accounts.people(row.account for row in rows if row.account)
    return {row.id: _addressee(row, people.get(row.account)) for row in rows}


def _addressee(row: Delivery, person: accounts.Person | None) -> str:
    if person is None:
        return "the team"
    return person.phone if row.channel == "sms" else person.email


def as_json(row: Delivery, to: str) -> dict[str, Any]:
    """Return a delivery as programs read it."""
    names = ("id", "channel", "status", "attempts", "error", "due_at", "sent_at", "mail")
    shown = {name: getattr(row, name) for name in names}
    return shown | {"to": to, "type": row.notification.type, "title": row.notification.title}
