"""The events of notifications; their key is the account's id."""

from bodega_sdk import Event

notification_created = Event(
    "notification.created",
    "Somebody's inbox got a notification.",
    {
        "id": "UUID",
        "account": "UUID",
        "type": "name of its type",
        "title": "text",
        "link": "address of a page of the shop, or empty",
    },
)
inbox_changed = Event(
    "inbox.changed",
    "The number of somebody's unread notifications has changed.",
    {"account": "UUID", "unread": "how many"},
)
ALL = (notification_created, inbox_changed)
