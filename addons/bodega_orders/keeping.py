"""What orders know of products: who needs them still, and who has bought them."""

from collections.abc import Sequence
from uuid import UUID

from bodega_orders import statuses
from bodega_orders.models import Line, Order
from bodega_sdk.bulk import among

#: An order in these was paid for, or the shop let it be as if it were.
_BOUGHT = (statuses.CONFIRMED, statuses.PROCESSING, statuses.SHIPPED, statuses.DELIVERED)


def why_not(products: Sequence[UUID]) -> str | None:
    """Return why products must not be deleted: orders that are not sent yet contain them."""
    query = Line.select(Line.order).join(Order)
    mine = among(Line.product, products) & Order.status.in_(statuses.OPEN)
    count = query.where(mine).distinct().count()
    return f"{count} open order(s) contain it; send or cancel them first." if count else None


def bought(user: UUID, products: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of some products somebody has bought, and not sent back wholly."""
    query = Line.select(Line.product).join(Order)
    theirs = (Order.account == user) & Order.status.in_(_BOUGHT)
    kept = Line.returned < Line.quantity
    rows = query.where(theirs, kept, among(Line.product, products)).distinct().tuples()
    return frozenset(key for (key,) in rows)
