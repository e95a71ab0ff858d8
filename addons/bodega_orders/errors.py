"""The problems of orders.

BodegaError
└── Problem
    └── Conflict
        ├── AlreadyOrdered   the cart was checked out before
        ├── TotalsChanged    it costs something else than the customer saw
        └── WrongStatus      the order's status does not allow it
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bodega_orders.statuses import WrongStatus
from bodega_sdk.errors import Conflict, FieldError

__all__ = ["AlreadyOrdered", "TotalsChanged", "WrongStatus"]


class AlreadyOrdered(Conflict):
    """A cart was checked out before; ``order`` and ``number`` of the problem say what it became."""

    code, title = "already-ordered", "The cart has been ordered already"

    def __init__(self, cart: UUID, order: UUID, number: str) -> None:
        message = f"This cart is order {number} already; begin another cart."
        super().__init__(
            message, [FieldError("cart", message, str(cart))],
            extra={"order": str(order), "number": number},
        )  # fmt: skip


class TotalsChanged(Conflict):
    """A purchase costs something else than the customer saw; ``quote`` says what it costs now."""

    code, title = "totals-changed", "The total is another one now"

    def __init__(self, expected: str, found: str, quote: Mapping[str, Any]) -> None:
        message = f"The total is {found} now, not {expected}; show it to the customer and repeat."
        super().__init__(
            message, [FieldError("expected_total", message, expected)], extra={"quote": dict(quote)}
        )
