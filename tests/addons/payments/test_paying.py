"""Paying in the sandbox: at once, after approving, by holding first; declines and retries."""

from typing import Any

import pytest

from bodega_payments.models import LedgerEntry, Payment

PAYMENTS, ORDERS = "/api/v1/payments", "/api/v1/orders"


def ledger(payment: Any) -> list[tuple[str, int]]:
    """The lines of a payment's ledger, in minor units."""
    rows = LedgerEntry.select().where(LedgerEntry.payment == payment["id"])
    return [(row.kind, row.amount) for row in rows.order_by(LedgerEntry.id)]


def test_a_card_pays_for_an_order_once_however_often_it_is_asked(
    till: Any, vera: Any, told: Any, jobs: Any
) -> None:
    order = till.order(vera)
    payment = till.pay(vera, order)
    assert payment["status"] == "succeeded"
    assert payment["is_test"] and payment["provider"] == "sandbox"
    assert (payment["amount"], payment["captured"], payment["method"]) == (
        "10.00", "10.00", "visa 4242",
    )  # fmt: skip
    till.pay(vera, order, expect=409)
    jobs.run_all()
    assert ledger(payment) == [("authorization", 1000), ("capture", 1000)]
    assert told(order) == [
        "order.placed", "payment.authorized", "payment.captured", "order.confirmed", "order.paid",
    ]  # fmt: skip
    shown = vera.client.get(f"{ORDERS}/{order['id']}").expect(200)
    assert (shown["status"], shown["payment_status"]) == ("confirmed", "paid")
