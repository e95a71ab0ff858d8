"""The events of webhooks."""

from bodega_sdk import Event

disabled = Event(
    "webhook.disabled",
    "A webhook was disabled, by hand or because its receiver is gone.",
    {"id": "UUID", "url": "where it was sent to", "reason": "why, in words"},
)
enabled = Event("webhook.enabled", "A webhook was enabled again.", {"id": "UUID", "url": "where"})

EVENTS = (disabled, enabled)
