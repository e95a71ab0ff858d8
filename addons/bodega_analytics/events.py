"""The events of analytics."""

from bodega_sdk import Event

views_recorded = Event(
    "views.recorded", "A storefront told which products were looked at.",
    {"products": "object: the products' UUIDs and how often each was looked at"},
)  # fmt: skip
updated = Event(
    "analytics.updated", "The sums changed; at most once a second.",
    {
        "revision": "raised with each change",
        "zone": "the shop's time zone",
        "from": "today, YYYY-MM-DD",
        "to": "today, YYYY-MM-DD",
        "rows": "list of currency, orders, gross and net of today",
    },
)  # fmt: skip
ALL = (views_recorded, updated)
