"""The types of the house: security of one's account, and imports."""

from bodega_notifications.kinds import NotificationType, member
from bodega_sdk import Occurrence

#: How a login ends that needs no telling: its owner did it just now, or was mailed already.
_EXPECTED = (
    "logged out", "logged out everywhere", "ended by its owner", "password changed",
    "password reset", "account deleted", "too many sessions",
)  # fmt: skip
_SENSITIVE = frozenset({"email", "username", "password", "role", "organization", "is_active"})
_COUNTS = {
    "total_rows": 1200, "created": 1000, "updated": 150, "unchanged": 40, "errors": 10,
}  # fmt: skip


def _is_unexpected(event: Occurrence) -> bool:
    return event.data.get("reason") not in _EXPECTED


def _is_sensitive(event: Occurrence) -> bool:
    return not _SENSITIVE.isdisjoint(event.data.get("members", ()))


SESSION_ENDED = NotificationType(
    "account.session_ended",
    "One of your logins was ended",
    event="account.session_ended",
    audience=member("account"),
    when=_is_unexpected,
    # Of a stolen one the accounts themselves send a mail, with the address of the other side.
    channels=("in_app",),
    security=True,
    sample={"reason": "refresh token used twice"},
)
ACCOUNT_CHANGED = NotificationType(
    "account.changed",
    "Your account was changed",
    event="account.changed",
    audience=member("id"),
    when=_is_sensitive,
    channels=("in_app", "email"),
    security=True,
    sample={"members": ["email", "role"]},
)
IMPORT_COMPLETED = NotificationType(
    "import.completed",
    "An import of yours is done",
    event="import.completed",
    audience=member("started_by"),
    channels=("in_app",),
    sample={"filename": "lamps.csv"} | _COUNTS,
)
IMPORT_FAILED = NotificationType(
    "import.failed",
    "An import of yours failed",
    event="import.failed",
    audience=member("started_by"),
    channels=("in_app", "email", "team"),
    sample={"filename": "lamps.csv", "message": "The file has no column with a SKU."},
)
TYPES = (SESSION_ENDED, ACCOUNT_CHANGED, IMPORT_COMPLETED, IMPORT_FAILED)
