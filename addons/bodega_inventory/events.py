"""The events of inventory."""

from collections.abc import Sequence
from typing import Any

from bodega_inventory import figures
from bodega_inventory.models import Level
from bodega_sdk import Event

#: Items of one transaction beyond which one event tells of all of them.
MANY = 100

_WHICH = {
    "product": "UUID",
    "variant": "UUID; null for a product that is stocked as a whole",
    "organization": "UUID of whose it is; null when it is the shop's own",
    "name": "the product's name",
    "sku": "of the variant or the product",
    "available": "pieces on hand that are not reserved",
}
changed = Event(
    "inventory.changed",
    "The stock of an item was moved, or what holds for it was set.",
    _WHICH
    | {
        "on_hand": "pieces on the shelf",
        "reserved": "pieces of them that are promised",
        "in_stock": "whether it can be had",
        "low_stock": "whether it is low",
        "change": "pieces that became available; less than zero when fewer are",
        "reference": "what moved it, as the mover said",
    },
)
bulk_changed = Event(
    "inventory.bulk_changed",
    f"The stock of more than {MANY} items was moved in one transaction.",
    {"items": "how many", "reference": "what moved them"},
)
low_stock_reached = Event(
    "inventory.low_stock_reached",
    "An item fell to its threshold or below; said once until it has risen above it.",
    _WHICH | {"threshold": "pieces at which it is low"},
)
restocked = Event(
    "inventory.restocked",
    "An item that could not be had is back in stock.",
    _WHICH,
)
ALL = (changed, bulk_changed, low_stock_reached, restocked)


def publish(levels: Sequence[tuple[Level, dict[str, Any], str, str]], reference: str) -> None:
    """Publish what became of levels; their products' rows are held.

    Args:
        levels: each with what it was before ({} for a new one), and its name and SKU.
    """
    changes: list[tuple[str, dict[str, Any]]] = []
    low: list[tuple[str, dict[str, Any]]] = []
    back: list[tuple[str, dict[str, Any]]] = []
    few = len(levels) <= MANY
    for level, before, name, sku in levels:
        key, which = str(level.id), _which(level, name, sku)
        if few:
            changes.append((key, which | _numbers(level, before, reference)))
        if before and level.low_stock and not before["low_stock"]:
            low.append((key, which | {"threshold": figures.threshold(level)}))
        if before and level.in_stock and not before["in_stock"]:
            back.append((key, which))
    changed.publish_many(changes)
    low_stock_reached.publish_many(low)
    restocked.publish_many(back)
    if not few:
        bulk_changed.publish(str(levels[0][0].id), {"items": len(levels), "reference": reference})


def _which(level: Level, name: str, sku: str) -> dict[str, Any]:
    return {
        "product": level.product,
        "variant": level.variant,
        "organization": level.organization,
        "name": name,
        "sku": sku,
        "available": level.available,
    }


def _numbers(level: Level, before: dict[str, Any], reference: str) -> dict[str, Any]:
    return {
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "in_stock": level.in_stock,
        "low_stock": level.low_stock,
        "change": level.available - before.get("available", 0),
        "reference": reference,
    }
