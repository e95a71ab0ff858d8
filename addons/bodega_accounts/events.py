"""The events of accounts."""

from bodega_sdk import Event

account_created = Event(
    "account.created",
    "An account was made.",
    {"id": "UUID", "email": "e-mail address", "role": "role"},
)
account_changed = Event(
    "account.changed",
    "An account's profile, role, organization or state was changed.",
    {"id": "UUID", "members": "names of the members that changed"},
)
account_deleted = Event("account.deleted", "An account was deleted.", {"id": "UUID"})
session_ended = Event(
    "account.session_ended",
    "A login ended before its time.",
    {"id": "UUID of the session", "account": "UUID", "reason": "why, in words"},
)

EVENTS = (account_created, account_changed, account_deleted, session_ended)
