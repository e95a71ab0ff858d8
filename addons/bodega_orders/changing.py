"""Leading an order from one status to another. Call these in a transaction, with its row held.

Each does nothing the second time. What they write stays together: the order's row, its stock,
its history and the event.
"""

from typing import Any

from bodega_orders import events, statuses, stock
from bodega_orders.models import History, Order
from bodega_orders.statuses import (
    CANCELLED,
    CONFIRMED,
    DELIVERED,
    PENDING,
    PROCESSING,
    REFUNDED,
    SHIPPED,
    By,
    WrongStatus,
)
from bodega_sdk import now

#: Fields of an order that change after it was placed.
_CHANGING = (
    "status", "payment_status", "authorized", "captured", "refunded", "stock", "staff_note",
    "tracking_number", "carrier", "tracking_url", "cancel_reason", "expires_at", "confirmed_at",
    "paid_at", "processing_at", "shipped_at", "delivered_at", "cancelled_at", "refunded_at",
)  # fmt: skip


def save(order: Order) -> None:
    """Write down what of an order can change."""
    order.updated_at = now()
    values = {name: getattr(order, name) for name in (*_CHANGING, "updated_at")}
    Order.update(values).where(Order.id == order.id).execute()


def note(
    order: Order, by: By, text: str = "", *, status: str = "", visible: bool = True
) -> History:
    """Write a row of an order's history."""
    made: History = History.create(
        order=order.id, status=status, note=text, role=by.role, account=by.account,
        visible=visible,
    )  # fmt: skip
    return made


def _move(order: Order, target: str, by: By, text: str = "", **more: Any) -> None:
    """Go a way of the table; the order's stock has been seen to."""
    way = statuses.way(order.status, target, by.role)
    order.status = target
    setattr(order, way.stamp, now())
    if target != PENDING:
        order.expires_at = None
    save(order)
    note(order, by, text, status=target)
    events.publish(events.BY_NAME[way.event], order, **more)


def confirm(order: Order, by: By, text: str = "") -> None:
    """Confirm an order: what it contains is sold.

    Raises:
        WrongStatus: its status does not allow it, or its stock was kept too long and is gone.
    """
    if order.status == CONFIRMED:
        return
    statuses.way(order.status, CONFIRMED, by.role)
    if not stock.sell(order, by.account):
        message = "The time for which its stock was kept is over, and the stock is gone: cancel it."
        raise WrongStatus(order.status, message)
    _move(order, CONFIRMED, by, text)


def process(order: Order, by: By, text: str = "") -> None:
    """Begin to get an order ready.

    Raises:
        WrongStatus: its status does not allow it.
    """
    if order.status != PROCESSING:
        _move(order, PROCESSING, by, text)


def ship(
    order: Order, by: By, text: str = "", *, tracking_number: str = "", carrier: str = "",
    tracking_url: str = "",
) -> None:  # fmt: skip
    """Send an order.

    Raises:
        WrongStatus: its status does not allow it.
    """
    if order.status == SHIPPED:
        return
    told = {"tracking_number": tracking_number, "carrier": carrier, "tracking_url": tracking_url}
    for name, value in told.items():
        # What was written down before counts, unless something else is said now.
        setattr(order, name, value or getattr(order, name))
    _move(order, SHIPPED, by, text, **{name: getattr(order, name) for name in told})


def deliver(order: Order, by: By, text: str = "") -> None:
    """Write down that an order arrived.

    Raises:
        WrongStatus: its status does not allow it.
    """
    if order.status != DELIVERED:
        _move(order, DELIVERED, by, text)


def cancel(order: Order, by: By, reason: str = "") -> None:
    """Cancel an order: its stock is free again, whether it was promised or sold.

    Raises:
        WrongStatus: its status does not allow it.
        PermissionDenied: its status does not allow it to them.
    """
    if order.status == CANCELLED:
        return
    statuses.way(order.status, CANCELLED, by.role)
    stock.give_back(order, "The order was cancelled.", by.account)
    order.cancel_reason = reason[:500]
    _move(order, CANCELLED, by, reason, reason=order.cancel_reason)


def refund(order: Order) -> None:
    """Write down that all that was taken has gone back."""
    if order.status != REFUNDED:
        _move(order, REFUNDED, statuses.SHOP)
