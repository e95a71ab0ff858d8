"""The events of payments; their key is the order's id, so that they are in order with its own."""

from typing import Any

from bodega_payments.models import Payment
from bodega_sdk import Event, Money

_FIELDS = {
    "id": "UUID of the payment",
    "order": "UUID",
    "order_number": "what people call the order",
    "account": "UUID of who pays, or null for a guest",
    "provider": "who collects the money, e.g. sandbox",
    "status": "as the API shows it",
    "currency": "ISO 4217",
    "amount": "decimal string: what this event is about",
    "captured": "decimal string: all that was taken by this payment",
    "refunded": "decimal string: all that has gone back of it",
}
authorized = Event("payment.authorized", "Money was held for an order.", _FIELDS)
captured = Event("payment.captured", "Money was taken for an order.", _FIELDS)
failed = Event(
    "payment.failed", "An attempt to pay failed.",
    _FIELDS | {"code": "why, as banks name it", "reason": "a sentence for the customer"},
)  # fmt: skip
canceled = Event("payment.canceled", "A payment ended; what was held is let go.", _FIELDS)
refunded = Event(
    "payment.refunded", "Money was given back.",
    _FIELDS | {"refund": "UUID of the refund", "reason": "why"},
)  # fmt: skip
disputed = Event(
    "payment.disputed", "A customer's bank took money back, or decided about it.",
    _FIELDS | {"dispute": "UUID", "dispute_status": "open, won or lost", "reason": "why"},
)  # fmt: skip
flagged = Event(
    "payment.flagged", "Somebody should look at a payment.", _FIELDS | {"reason": "why"}
)
ALL = (authorized, captured, failed, canceled, refunded, disputed, flagged)


def publish(event: Event, payment: Payment, amount: int, **more: Any) -> None:
    """Publish an event about a payment whose order is held; the amount is in minor units."""

    def money(minor: int) -> str:
        return str(Money(minor, payment.currency))

    data = {
        "id": payment.id, "order": payment.order, "order_number": payment.order_number,
        "account": payment.account, "provider": payment.provider, "status": payment.status,
        "currency": payment.currency, "amount": money(amount),
        "captured": money(payment.captured), "refunded": money(payment.refunded),
    }  # fmt: skip
    event.publish(str(payment.order), data | more)
