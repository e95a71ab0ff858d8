"""The events of orders; their key is the order's id."""

from typing import Any

from bodega_orders.models import Order
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID",
    "number": "what people call it",
    "account": "UUID of who bought, or null for a guest",
    "email": "of who bought",
    "status": "pending, confirmed, processing, shipped, delivered, cancelled or refunded",
    "payment_status": "unpaid, authorized, paid, partially_refunded, refunded or failed",
    "currency": "ISO 4217",
    "total": "decimal string: what is to be paid",
}
_RETURN = {
    "return": "UUID of the return",
    "return_status": "requested, approved, rejected or received",
    "lines": "a list of {line, item, name, quantity}",
}
placed = Event("order.placed", "An order was placed.", _FIELDS | {"lines": "how many lines it has"})
confirmed = Event("order.confirmed", "An order was paid for, or confirmed by the shop.", _FIELDS)
processing_started = Event(
    "order.processing_started", "The shop began to get an order ready.", _FIELDS
)
shipped = Event(
    "order.shipped", "An order was sent.",
    _FIELDS
    | {"tracking_number": "text", "carrier": "text", "tracking_url": "address, or empty"},
)  # fmt: skip
delivered = Event("order.delivered", "An order arrived.", _FIELDS)
cancelled = Event(
    "order.cancelled", "An order was cancelled; its stock is free again.",
    _FIELDS | {"reason": "why"},
)  # fmt: skip
refunded = Event("order.refunded", "All that was taken for an order has gone back.", _FIELDS)
paid = Event(
    "order.paid", "All of an order's total was taken.", _FIELDS | {"captured": "decimal string"}
)
return_requested = Event(
    "order.return_requested", "A customer wants to send things back.",
    _FIELDS | _RETURN | {"reason": "why"},
)  # fmt: skip
return_decided = Event(
    "order.return_decided", "The shop agreed to a return, or did not.",
    _FIELDS | _RETURN | {"answer": "what the shop says to it"},
)  # fmt: skip
return_received = Event(
    "order.return_received", "Things came back.",
    _FIELDS | _RETURN | {"amount": "decimal string: what they were paid with; to be given back"},
)  # fmt: skip
ALL = (
    placed, confirmed, processing_started, shipped, delivered, cancelled, refunded, paid,
    return_requested, return_decided, return_received,
)  # fmt: skip
BY_NAME = {event.name: event for event in ALL}
#: Its key is the cart's id, whose row is held.
cart_item_added = Event(
    "cart.item_added", "Something was put into a cart that was not in it yet.",
    {
        "cart": "UUID", "product": "UUID", "variant": "UUID; null for a product in one form",
        "quantity": "how many",
    },
)  # fmt: skip


def publish(event: Event, order: Order, **more: Any) -> None:
    """Publish an event about an order whose row is held."""
    data = {
        "id": order.id, "number": order.number, "account": order.account, "email": order.email,
        "status": order.status, "payment_status": order.payment_status,
        "currency": order.currency, "total": str(order.money(order.total)),
    }  # fmt: skip
    event.publish(str(order.id), data | more)
