"""Paying in the sandbox: at once, after approving, by holding first; declines and retries."""

from typing import Any

import pytest

from bodega_payments import limits
from bodega_payments.models import LedgerEntry, Payment
from bodega_sdk import RateLimit

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
    assert payment["is_test"]
    assert payment["provider"] == "sandbox"
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


def test_a_declined_card_says_why_and_another_one_pays_with_the_same_payment(
    till: Any, vera: Any, told: Any, jobs: Any
) -> None:
    order = till.order(vera)
    key = {"Idempotency-Key": "k-1"}
    for _ in range(2):
        problem = till.pay(
            vera, order, "pm_card_chargeDeclinedInsufficientFunds", expect=402, headers=key
        )
        assert (problem["type"].rpartition("/")[2], problem["code"]) == (
            "payment-declined", "insufficient_funds",
        )  # fmt: skip
    # Sent again, it was not tried again.
    assert told(order).count("payment.failed") == 1
    payment = vera.client.get(f"{PAYMENTS}/{problem['payment']}").expect(200)
    assert payment["status"] == "requires_payment_method"
    assert payment["error"]["code"] == "insufficient_funds"
    assert payment["client_secret"]
    at = f"{PAYMENTS}/{payment['id']}/confirm"
    vera.client.post(at, {"payment_method": "pm_card_chargeDeclinedExpiredCard"}).expect(402)
    jobs.run_all()
    assert vera.client.get(f"{ORDERS}/{order['id']}").expect(200)["payment_status"] == "failed"
    paid = vera.client.post(at, {"payment_method": "pm_card_mastercard"}).expect(200)
    assert paid["status"] == "succeeded"
    assert paid["error"] is None
    assert paid["client_secret"] is None
    jobs.run_all()
    assert told(order).count("payment.failed") == 2
    assert told(order).count("payment.captured") == 1
    # The key belongs to that request and no other.
    body = {"order": order["id"], "payment_method": "pm_card_visa"}
    vera.client.post(PAYMENTS, body, headers=key).expect(422)


def test_a_customer_approves_with_the_bank_or_refuses(till: Any, vera: Any, jobs: Any) -> None:
    order = till.order(vera)
    back = "https://shop.example/thanks"
    payment = till.pay(vera, order, "pm_card_threeDSecure2Required", return_url=back)
    assert payment["status"] == "requires_action"
    page = payment["next_action"]["url"]
    assert "10.00 USD" in vera.client.get(page).text
    assert "test money" in vera.client.get(page).text
    refused = vera.client.post(page.replace("challenge", "refuse"))
    assert refused.status_code == 200
    assert back in refused.text
    vera.client.post(page.replace("challenge", "approve")).expect(409)
    at = f"{PAYMENTS}/{payment['id']}/confirm"
    after = vera.client.post(at, {}).expect(200)
    assert after["error"]["code"] == "payment_intent_authentication_failure"
    again = vera.client.post(at, {"payment_method": "pm_card_threeDSecure2Required"}).expect(200)
    assert again["status"] == "requires_action"
    assert vera.client.post(page.replace("challenge", "approve")).status_code == 200
    # Nobody comes back: the webhook tells it.
    jobs.run_all()
    assert vera.client.get(f"{ORDERS}/{order['id']}").expect(200)["payment_status"] == "paid"
    assert vera.client.post(at, {}).expect(200)["status"] == "succeeded"


@pytest.mark.parametrize(("currency", "price", "part", "rest"), [
    pytest.param("JPY", 1000, "600", "400", marks=pytest.mark.slow),
    ("KWD", 1000, "0.600", "0.400"),
    pytest.param("EUR", 1000, "6.00", "4.00", marks=pytest.mark.slow),
])  # fmt: skip
def test_staff_capture_a_part_of_what_is_held_and_give_back_in_parts(
    till: Any, vera: Any, staff: Any, told: Any, jobs: Any, currency: str, price: int, part: str,
    rest: str,
) -> None:  # fmt: skip
    order = till.order(vera, price, currency)
    till.pay(vera, order, capture_method="manual", expect=422)
    payment = till.pay(staff, order, capture_method="manual")
    assert payment["status"] == "requires_capture"
    assert vera.client.get(f"{ORDERS}/{order['id']}").expect(200)["status"] == "confirmed"
    at = f"{PAYMENTS}/{payment['id']}"
    vera.client.post(f"{at}/capture", {}).expect(403)
    vera.client.post(f"{at}/cancel").expect(409)
    too_much = staff.client.post(f"{at}/capture", {"amount": "1001"}).expect(422)
    assert too_much["most"] == payment["authorized"]
    captured = staff.client.post(f"{at}/capture", {"amount": part}).expect(200)
    assert (captured["status"], captured["captured"]) == ("succeeded", part)
    staff.client.post(f"{at}/capture", {}).expect(409)
    one = staff.client.post(f"{at}/refunds", {"amount": rest, "note": "a scratch"}).expect(201)
    assert (one["status"], one["amount"]) == ("succeeded", rest)
    staff.client.post(f"{at}/refunds", {"amount": rest}).expect(422)
    key = {"Idempotency-Key": "r-1"}
    two = [staff.client.post(f"{at}/refunds", {}, headers=key).expect(201) for _ in range(2)]
    assert two[0] == two[1]
    staff.client.post(f"{at}/refunds", {}).expect(422)
    jobs.run_all()
    assert ledger(payment) == [
        ("authorization", 1000), ("capture", 600), ("void", 400), ("refund", 400), ("refund", 200),
    ]  # fmt: skip
    assert told(order)[-2:] == ["payment.refunded", "order.refunded"]
    seen = vera.client.get(f"{at}/refunds").expect(200)
    assert [row.get("note") for row in seen["results"]] == [None, None]
    lines = staff.client.get(f"{PAYMENTS}/ledger", params={"order": order["id"]}).expect(200)
    assert lines["count"] == 5
    vera.client.get(f"{PAYMENTS}/ledger").expect(403)


def test_guests_pay_with_the_token_of_their_order_and_others_see_nothing(
    till: Any, client: Any, vera: Any, otto: Any, staff: Any, goods: Any
) -> None:
    product = goods.make()
    body = {
        "items": [{"product": str(product), "quantity": 1}], "email": "guest@shop.example",
        "shipping_address": {"name": "G", "line1": "1", "city": "London", "country": "GB"},
    }  # fmt: skip
    placed = client.post(ORDERS, body)
    token = {"Order-Token": placed.headers["Order-Token"]}
    wanted = {"order": placed.json["id"], "payment_method": "pm_card_visa"}
    client.post(PAYMENTS, wanted).expect(422)
    otto.client.post(PAYMENTS, wanted).expect(422)
    payment = client.post(PAYMENTS, wanted, headers=token).expect(201)
    assert payment["status"] == "succeeded"
    at = f"{PAYMENTS}/{payment['id']}"
    assert client.get(at, headers=token).expect(200)["id"] == payment["id"]
    client.get(at).expect(404)
    others = till.order(vera)
    theirs = till.pay(vera, others)
    client.get(f"{PAYMENTS}/{theirs['id']}", headers=token).expect(404)
    for path in ("", "/refunds"):
        otto.client.get(f"{at}{path}").expect(404)
    for path in ("confirm", "cancel"):
        otto.client.post(f"{at}/{path}", {}).expect(404)
    assert otto.client.get(PAYMENTS).expect(200)["count"] == 0
    assert staff.client.get(PAYMENTS).expect(200)["count"] == 2


def test_what_is_canceled_or_nobody_owes_is_not_paid(till: Any, vera: Any, told: Any) -> None:
    order = till.order(vera)
    body = {"order": order["id"]}
    first = vera.client.post(PAYMENTS, body).expect(201)
    assert first["status"] == "requires_payment_method"
    # Without a key the open payment is gone on with.
    assert vera.client.post(PAYMENTS, body).expect(201)["id"] == first["id"]
    ended = vera.client.post(f"{PAYMENTS}/{first['id']}/cancel").expect(200)
    assert ended["status"] == "canceled"
    confirming = {"payment_method": "pm_card_visa"}
    after = vera.client.post(f"{PAYMENTS}/{first['id']}/confirm", confirming)
    assert after.status_code == 200
    assert after.json["status"] == "canceled"
    assert told(order) == ["order.placed", "payment.canceled"]
    vera.client.post(f"{ORDERS}/{order['id']}/cancel", {}).expect(200)
    till.pay(vera, order, expect=409)
    assert Payment.select().count() == 1


@pytest.mark.parametrize("body", [
    {"payment_method": "4242424242424242"},
    {"payment_method": "pm_card_visa", "card": {"number": "4242 4242 4242 4242"}},
    {"payment_method": "pm_card_visa", "4242-4242-4242-4242": 1},
    {"payment_method": 4242424242424242},
])  # fmt: skip
def test_a_card_number_is_refused_and_neither_repeated_nor_logged(
    till: Any, vera: Any, capsys: Any, body: Any
) -> None:
    order = till.order(vera)
    answer = vera.client.post(PAYMENTS, {"order": order["id"]} | body)
    assert answer.status_code == 422
    said = capsys.readouterr()
    for text in (answer.text, said.out, said.err):
        assert "4242424242424242" not in text.replace(" ", "").replace("-", "")
    assert Payment.select().count() == 0


def test_stolen_cards_are_not_tried_out_here(till: Any, vera: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "DECLINES", RateLimit("payments.declined", 2, 3600))
    order = till.order(vera)
    for card in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedIncorrectCvc"):
        till.pay(vera, order, card, expect=402)
    till.pay(vera, order, expect=429)
