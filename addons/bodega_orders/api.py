"""What other addons may call.

Whoever locks rows of its own beside an order's holds the order first; see :func:`hold`.
"""

from collections.abc import Iterable
from uuid import UUID

from bodega_orders.buyers import has_ordered
from bodega_orders.drafting import draft_of
from bodega_orders.drafts import (
    Destination,
    Discount,
    Discounts,
    Draft,
    DraftLine,
    Entry,
    Quote,
    QuotedLine,
    RefusedCode,
    ShippingOption,
    Tax,
)
from bodega_orders.facts import DiscountFacts, LineFacts, OrderFacts, ReturnFacts, Settled
from bodega_orders.guessing import count_guesses, refuse_guessing
from bodega_orders.models import Order
from bodega_orders.quoting import quote
from bodega_orders.returned import returns_of
from bodega_orders.rounding import share, split
from bodega_orders.settling import hold, settle
from bodega_orders.telling import facts_of, lines_of
from bodega_orders.tokens import READS_ORDER, order_of

__all__ = [
    "READS_ORDER",
    "Destination",
    "Discount",
    "DiscountFacts",
    "Discounts",
    "Draft",
    "DraftLine",
    "Entry",
    "LineFacts",
    "OrderFacts",
    "Quote",
    "QuotedLine",
    "RefusedCode",
    "ReturnFacts",
    "Settled",
    "ShippingOption",
    "Tax",
    "count_guesses",
    "draft_of",
    "has_ordered",
    "hold",
    "order_ids",
    "order_of",
    "orders_of",
    "quote",
    "refuse_guessing",
    "returns_of",
    "settle",
    "share",
    "split",
]


def orders_of(ids: Iterable[UUID]) -> dict[UUID, OrderFacts]:
    """Return what is known of orders by id, in two queries; those that are not there lack."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = list(Order.select().where(Order.id.in_(wanted)))
    lines = lines_of([row.id for row in rows])
    return {row.id: facts_of(row, lines[row.id]) for row in rows}


def order_ids(after: UUID | None = None, limit: int = 500) -> list[UUID]:
    """Return ids of orders in their order, to walk through all of them.

    Args:
        after: the last one of the portion before.
        limit: how many, at most.
    """
    query = Order.select(Order.id).order_by(Order.id).limit(limit)
    rest = query if after is None else query.where(Order.id > after)
    return [key for (key,) in rest.tuples()]
