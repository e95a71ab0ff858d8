"""What follows from a level: whether it can be had, whether it is low."""

from collections.abc import Collection
from typing import Any

from bodega_inventory.models import Level
from bodega_sdk import setting


def floor(level: Level) -> int | None:
    """Return how low what is available may go; None without a limit."""
    if not level.backorder:
        return 0
    return None if level.backorder_limit is None else -int(level.backorder_limit)


def room(level: Level) -> int | None:
    """Return how many more pieces can be had; None without a limit."""
    lowest = floor(level)
    if not level.tracked or lowest is None:
        return None
    return max(0, int(level.available) - lowest)


def threshold(level: Level) -> int:
    """Return at how many pieces an item is low: its own number, or the shop's."""
    own = level.low_stock_threshold
    return int(setting("inventory.low_stock_threshold") if own is None else own)


def judge(level: Level) -> None:
    """Write down what follows from the numbers of a level."""
    level.available = level.on_hand - level.reserved
    level.in_stock = room(level) != 0
    level.low_stock = bool(level.tracked) and level.available <= threshold(level)


def of_product(levels: Collection[Level]) -> dict[str, Any]:
    """Return the figures of a product from its levels.

    Those of its variants count where it has such; they add up.
    """
    levels = [one for one in levels if not one.retired]
    counted = [one for one in levels if one.variant is not None] or levels
    return {
        "stock": sum(one.available for one in counted),
        "in_stock": any(one.in_stock for one in counted),
        "low_stock": any(one.low_stock for one in counted),
        "backorder": any(one.backorder for one in counted),
    }
