"""What people are told, where notifications are there to tell it."""

from functools import lru_cache
from types import ModuleType
from typing import Any

from bodega_sdk import Occurrence, addon_api

_SAMPLE = {"name": "Desk lamp", "sku": "LAMP-1", "available": 3, "threshold": 5, "product": "1"}
_HEADING = (
    "{% if available > 0 %}Only {{ available }} of {{ name }} left"
    "{% else %}{{ name }} is sold out{% endif %}"
)


def types() -> tuple[Any, ...]:
    """Return the types of notifications that inventory adds."""
    api = addon_api("notifications")
    return () if api is None else _types(api)


@lru_cache(maxsize=1)
def _types(api: ModuleType) -> tuple[Any, ...]:
    def staff(event: Occurrence) -> Any:
        """Tell those who see to the stock of the whole shop."""
        return api.holders("inventory.all")(event)

    return (
        api.NotificationType(
            "inventory.low_stock", "Stock of an item is low",
            event="inventory.low_stock_reached", audience=staff, channels=("in_app", "team"),
            heading=_HEADING, link="/products/{{ product }}", package="bodega_inventory",
            text="{{ sku }}: {{ available }} can be had; it is low at {{ threshold }}.",
            sample=_SAMPLE,
        ),
    )  # fmt: skip
