"""Orders that nobody paid for in time."""

from bodega_orders import changing
from bodega_orders.models import Order
from bodega_orders.statuses import PENDING, SHOP
from bodega_sdk import locked, now

_REASON = "Nobody paid for it in time."


def expire() -> bool:
    """Cancel one pending order whose time is over, in the open transaction.

    One only: the stock of two would be held in another order than checkouts hold it in.
    Those that something is held or was taken for are left to payments.

    Returns:
        Whether there may be more.
    """
    over = (Order.status == PENDING) & (Order.expires_at <= now())
    due = over & (Order.authorized == 0) & (Order.captured == Order.refunded)
    first = Order.select(Order.id).where(due).order_by(Order.expires_at, Order.id).first()
    if first is None:
        return False
    # Read again under the lock: somebody may have paid meanwhile.
    order = locked(Order.select().where(Order.id == first.id, due)).first()
    if order is not None:
        changing.cancel(order, SHOP, _REASON)
    return True
