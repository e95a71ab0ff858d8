"""What payments make of an order: they say sums, and the order follows."""

from uuid import UUID

from bodega_orders import changing, events, statuses
from bodega_orders.facts import OrderFacts, Settled
from bodega_orders.models import Order
from bodega_orders.statuses import CANCELLED, PENDING, REFUNDED, SHOP
from bodega_orders.stock import sell
from bodega_orders.telling import facts_of
from bodega_sdk import transaction
from bodega_sdk.errors import FieldError, NotFound

_GONE = "It was paid for too late: what it contained is sold out."


def hold(order_id: UUID) -> OrderFacts:
    """Hold an order until the commit, before anything of its payments; return it as it is.

    Raises:
        NotFound: there is no such order.
    """
    return facts_of(_held(order_id))


def _held(order_id: UUID) -> Order:
    found = Order.find(order_id, lock=True)
    if found is None:
        message = "There is no order with this id."
        raise NotFound(message, [FieldError("order", message, str(order_id))])
    return found


def settle(
    order_id: UUID, *, authorized: int, captured: int, refunded: int, failed: bool = False
) -> Settled:
    """Say what all payments of an order come to; saying it again changes nothing.

    Enough held or taken confirms a pending order, whose stock is reserved again if its time
    is over; if that cannot be, the order is cancelled. All given back makes it refunded.

    Args:
        authorized: what is held and neither captured nor let go, in minor units.
        captured: all that was ever captured.
        refunded: all of that which was given back, by refunds and lost disputes.
        failed: whether the last attempt to pay failed.

    Raises:
        NotFound: there is no such order.
        ValueError: a sum is negative, or more was given back than taken.
    """
    if min(authorized, captured, refunded) < 0 or refunded > captured:
        raise ValueError(
            f"order {order_id}: sums that cannot be: {authorized=}, {captured=}, {refunded=}; "
            "expected none below zero, and refunded not above captured"
        )
    with transaction():
        order = _held(order_id)
        if _told(order, authorized, captured, refunded, failed=failed):
            changing.save(order)
        _follow(order)
        return Settled(facts_of(order), order.money(_excess(order)))


def settle_nothing(order: Order) -> None:
    """Confirm an order that costs nothing, which was placed just now."""
    if _told(order, 0, 0, 0, failed=False):
        changing.save(order)
    _follow(order)


def _told(order: Order, authorized: int, captured: int, refunded: int, *, failed: bool) -> bool:
    """Write sums into an order; return whether they are news."""
    sums = (authorized, captured, refunded)
    status = statuses.payment_status(order.total, *sums, failed=failed)
    news = (order.authorized, order.captured, order.refunded, order.payment_status)
    order.authorized, order.captured, order.refunded = sums
    order.payment_status = status
    return news != (*sums, status)


def _follow(order: Order) -> None:
    """Let the order's status follow its sums."""
    if order.status == PENDING and order.authorized + order.captured >= order.total:
        _confirm(order)
    if _is_paid_now(order):
        _pay(order)
    if order.captured and order.refunded >= order.captured and _can_be_refunded(order):
        changing.refund(order)


def _is_paid_now(order: Order) -> bool:
    """Whether all was taken for the first time, of an order that somebody wanted then."""
    once = order.paid_at is None and order.cancelled_at is None
    return bool(once and order.captured >= order.total)


def _confirm(order: Order) -> None:
    if sell(order):
        changing.confirm(order, SHOP)
    else:
        changing.cancel(order, SHOP, _GONE)


def _pay(order: Order) -> None:
    order.paid_at = order.updated_at
    changing.save(order)
    captured = str(order.money(order.captured))
    events.publish(events.paid, order, captured=captured)


def _can_be_refunded(order: Order) -> bool:
    ways = statuses.can(order.status, SHOP.role)
    return any(way.target == REFUNDED for way in ways)


def _excess(order: Order) -> int:
    """Return what is held or was taken above what the order wants."""
    wanted = 0 if order.status in (CANCELLED, REFUNDED) else order.total
    kept = order.authorized + order.captured - order.refunded
    return int(max(0, kept - wanted))
