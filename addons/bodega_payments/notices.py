"""What people are told of payments, where notifications are there to tell it."""

from functools import lru_cache
from types import ModuleType
from typing import Any

from bodega_sdk import Occurrence, addon_api

_SAMPLE = {
    "id": "01a1fd7c-0000-7000-8000-000000000000", "order": "01a1fd7c-0000-7000-8000-000000000001",
    "order_number": "261122-7K3M9Q", "amount": "49.90", "currency": "EUR", "provider": "sandbox",
    "reason": "Your card has insufficient funds.", "dispute_status": "open",
}  # fmt: skip
_SUM = "{{ amount }} {{ currency }}"
_HERE: dict[str, Any] = {
    "sample": _SAMPLE, "package": "bodega_payments", "link": "/orders/{{ order }}",
}  # fmt: skip


def types() -> tuple[Any, ...]:
    """Return the types of notifications that payments add."""
    api = addon_api("notifications")
    return () if api is None else (*_of_customers(api), *_of_staff(api))


@lru_cache(maxsize=1)
def _of_customers(api: ModuleType) -> tuple[Any, ...]:
    theirs: dict[str, Any] = _HERE | {
        "audience": api.member("account"), "channels": ("in_app", "email"),
    }  # fmt: skip
    return (
        api.NotificationType(
            "payment.captured", "A payment of yours arrived", event="payment.captured",
            heading="We received your payment", text=_SUM + " for order {{ order_number }}.",
            **theirs,
        ),
        api.NotificationType(
            "payment.failed", "A payment of yours failed", event="payment.failed",
            heading="Your payment for order {{ order_number }} failed",
            text="{{ reason }} Nothing was taken; you can pay in another way.", **theirs,
        ),
        api.NotificationType(
            "payment.refunded", "Money is on its way back to you", event="payment.refunded",
            heading="Money is on its way back to you",
            text=_SUM + " of order {{ order_number }}; banks take some days.", **theirs,
        ),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _of_staff(api: ModuleType) -> tuple[Any, ...]:
    theirs: dict[str, Any] = _HERE | {
        "audience": api.holders("payments.manage"), "channels": ("in_app", "email", "team"),
    }  # fmt: skip
    return (
        api.NotificationType(
            "payment.flagged", "Somebody should look at a payment", event="payment.flagged",
            when=_is_no_dispute, heading="Payment for order {{ order_number }}",
            text="{{ reason }}", **theirs,
        ),
        api.NotificationType(
            "payment.disputed", "A payment is disputed", event="payment.disputed",
            heading="Dispute of order {{ order_number }}: {{ dispute_status }}",
            text=_SUM + " ({{ reason }}). Answer it at {{ provider }}.", **theirs,
        ),
    )  # fmt: skip


def _is_no_dispute(event: Occurrence) -> bool:
    """Whether it is told of in no other way."""
    return "disputes it" not in event.data.get("reason", "")
