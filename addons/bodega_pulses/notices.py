"""What people are told of alerts, where notifications are there to tell it."""

from functools import lru_cache
from types import ModuleType
from typing import Any

from bodega_sdk import Occurrence, addon_api

_SAMPLE = {
    "name": "Too warm", "sku": "LAMP-1", "reason": "31 °C is above 30 °C.", "product": "1",
    "source": "probe-7",
}  # fmt: skip


def types() -> tuple[Any, ...]:
    """Return the types of notifications that pulses add."""
    api = addon_api("notifications")
    return () if api is None else _types(api)


@lru_cache(maxsize=1)
def _types(api: ModuleType) -> tuple[Any, ...]:
    def managers(event: Occurrence) -> Any:
        """Tell those who see to the rules."""
        return api.holders("pulses.manage")(event)

    return (
        api.NotificationType(
            "pulses.alert", "A measured value crossed the line of a rule",
            event="pulse_alert.raised", audience=managers, channels=("in_app", "team"),
            when=_told, heading="{{ name }}: {{ sku }}", link="/products/{{ product }}",
            package="bodega_pulses", sample=_SAMPLE,
            text="{{ reason }}{% if source %} ({{ source }}){% endif %}",
        ),
    )  # fmt: skip


def _told(event: Occurrence) -> bool:
    return bool(event.data.get("told"))
