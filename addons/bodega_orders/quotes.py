"""How a quote looks outside."""

from typing import Any

from bodega_orders.drafts import Quote

_SUMS = ("subtotal", "discount", "shipping", "tax", "total")


def shown(told: Quote) -> dict[str, Any]:
    """Return what a purchase costs and why, as it is shown."""
    return {
        "currency": told.total.currency,
        **{name: str(getattr(told, name)) for name in _SUMS},
        "entries": [
            {"kind": one.kind, "label": one.label, "amount": str(one.amount),
             "item": None if one.item is None else str(one.item)}
            for one in told.entries
        ],
    }  # fmt: skip
