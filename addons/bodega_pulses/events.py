"""The events of pulses."""

from bodega_sdk import Event

#: Products of one request that have an event each.
MOST = 100
recorded = Event(
    "pulse.recorded",
    "Points of a product were stored: one event for each request and product, with the newest "
    f"point. A request about more than {MOST} products has one event, whose key is empty and "
    "whose members are null where they are about one product.",
    {
        "product": "UUID",
        "product_id": "the same; plain streams were promised by this name",
        "timestamp": "of the newest of the points",
        "value": "its value",
        "unit": "its unit",
        "source": "its source",
        "points": "how many points were new or had another value before",
        "products": "how many products the request was about",
    },
)
_ALERT = {
    "id": "UUID of the alert",
    "rule": "UUID",
    "name": "the rule's",
    "product": "UUID",
    "sku": "the product's; empty when it is gone",
    "unit": "of the series",
    "source": "of the series",
    "value": "what was measured",
    "timestamp": "when it was",
    "reason": "what is wrong with it, one sentence",
}
alert_raised = Event(
    "pulse_alert.raised",
    "A value crossed the line of a rule; once, until values have come back.",
    _ALERT | {"told": "whether people are told: not in the cool-down behind another alert"},
)
alert_cleared = Event("pulse_alert.cleared", "Values came back behind an alert.", _ALERT)
ALL = (recorded, alert_raised, alert_cleared)
