"""The events of accounts."""

from bodega_sdk import Event

account_created = Event(
    "account.created",
    "An account was made.",
    {"id": "UUID", "email": "e-mail address", "role": "role"},
)
