"""How many of somebody's notifications are unread, and which they can see."""

from typing import Any
from uuid import UUID

from bodega_notifications.events import inbox_changed
from bodega_notifications.models import Notification
from bodega_sdk import now


def visible() -> Any:
    """Return the condition that a notification stands in an inbox."""
    return Notification.in_app & Notification.deleted_at.is_null()


def unread_of(account: UUID) -> Any:
    """Return the condition that a notification is somebody's, and unread."""
    return (Notification.account == account) & visible() & Notification.read_at.is_null()


def unread(account: UUID) -> int:
    """Return how many somebody has not read."""
    number: int = Notification.select().where(unread_of(account)).count()
    return number


def tell(account: UUID) -> None:
    """Publish how many they are; hold the inbox meanwhile."""
    inbox_changed.publish(str(account), {"account": account, "unread": unread(account)})


def read_all(account: UUID) -> int:
    """Mark all of somebody's notifications as read; hold the inbox meanwhile.

    Returns:
        How many were unread.
    """
    moment = now()
    changes = Notification.update(read_at=moment, updated_at=moment)
    number: int = changes.where(unread_of(account)).execute()
    if number:
        tell(account)
    return number


def change(row: Notification, **changes: Any) -> Notification:
    """Change a notification of a held inbox, and tell how many are unread then."""
    for name, value in (changes | {"updated_at": now()}).items():
        setattr(row, name, value)
    row.save()
    tell(row.account)
    return row
