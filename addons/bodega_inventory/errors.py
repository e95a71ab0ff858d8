"""The problems of inventory."""

from collections.abc import Sequence
from typing import Any

from bodega_inventory.items import Shortage
from bodega_sdk.errors import Conflict, FieldError


class OutOfStock(Conflict):
    """There is not enough of one item or several; nothing was moved.

    Args:
        short: what lacks, and what there is of it; ``short`` of the problem document.
    """

    code, title = "out-of-stock", "There is not enough in stock"

    def __init__(self, short: Sequence[Shortage]) -> None:
        self.short = tuple(short)
        told = "; ".join(_told(item) for item in self.short[:5])
        errors = [
            FieldError(
                f"items.{one.place}.quantity",
                f"{one.name}: {one.available} can be had.",
                abs(one.item.quantity),
            )
            for one in self.short[:100]
        ]
        super().__init__(
            f"Not enough in stock: {told}.", errors, extra={"short": [_shown(s) for s in short]}
        )


def _told(one: Shortage) -> str:
    return f"{one.name}: {one.available} can be had, {abs(one.item.quantity)} are wanted"


def _shown(one: Shortage) -> dict[str, Any]:
    return {
        "product": str(one.item.product),
        "variant": None if one.item.variant is None else str(one.item.variant),
        "name": one.name,
        "wanted": abs(one.item.quantity),
        "available": one.available,
    }
