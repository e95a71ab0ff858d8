"""Orders that are paid at Stripe: through the API, the real library, HTTP and webhooks."""

from typing import Any

import pytest

from bodega_payments import choosing
from bodega_payments.models import LedgerEntry, Payment, Refund
from bodega_payments.reconciling import reconcile
from fake_stripe.charging import dispute_ends
from fake_stripe.intents import confirm
from fake_stripe.refusals import Refusal
from fake_stripe.server import FakeStripe

PAYMENTS, ORDERS = "/api/v1/payments", "/api/v1/orders"


def in_browser(stripe: FakeStripe, method: str, **more: str) -> Any:
    """Confirm the newest intent as Stripe's script does: the shop hears of it by webhook only."""
    intent = stripe.made("payment_intent")[-1]
    with stripe.books.lock:
        try:
            return confirm(stripe.books, {"payment_method": method, **more}, intent["id"])
        except Refusal as refusal:
            return refusal


def ledger(payment: Any) -> list[tuple[str, int]]:
    rows = LedgerEntry.select().where(LedgerEntry.payment == payment["id"])
    return [(row.kind, row.amount) for row in rows.order_by(LedgerEntry.id)]


def test_an_order_is_paid_in_the_browser_and_stripe_tells_three_times(
    at_stripe: FakeStripe, till: Any, vera: Any, jobs: Any, told: Any
) -> None:
    order = till.order(vera)
    payment = vera.client.post(PAYMENTS, {"order": order["id"]}).expect(201)
    assert (payment["status"], payment["provider"]) == ("requires_payment_method", "stripe")
    assert payment["client_secret"] == at_stripe.made("payment_intent")[0]["client_secret"]

    in_browser(at_stripe, "pm_card_visa")
    assert set(at_stripe.courier.deliver(times=3, order="shuffled")) == {200}
    jobs.run_all()

    shown = vera.client.get(f"{ORDERS}/{order['id']}").expect(200)
    assert (shown["status"], shown["payment_status"]) == ("confirmed", "paid")
    assert ledger(payment) == [("authorization", 1000), ("capture", 1000)]
    assert told(order) == [
        "order.placed", "payment.authorized", "payment.captured", "order.confirmed", "order.paid",
    ]  # fmt: skip
    [made] = at_stripe.made("payment_intent")
    assert (made["amount"], made["currency"]) == (1000, "usd")
    assert made["metadata"] == {"bodega_payment": payment["id"]}
    [customer] = at_stripe.made("customer")
    assert customer["email"] == "vera@shop.example"


def test_a_declined_card_is_told_to_the_customer_and_another_one_pays(
    at_stripe: FakeStripe, till: Any, vera: Any, jobs: Any
) -> None:
    order = till.order(vera)
    declined = till.pay(vera, order, "pm_card_visa_chargeDeclinedInsufficientFunds", expect=402)
    assert declined["code"] == "insufficient_funds"
    assert "not enough money" in declined["detail"]
    path = f"{PAYMENTS}/{declined['payment']}"
    assert vera.client.get(path).expect(200)["status"] == "requires_payment_method"

    body = {"payment_method": "pm_card_mastercard"}
    assert vera.client.post(f"{path}/confirm", body).expect(200)["status"] == "succeeded"
    at_stripe.courier.deliver(order="reversed", times=2)
    jobs.run_all()
    assert len(at_stripe.made("charge", status="succeeded")) == 1
    assert ledger({"id": declined["payment"]}) == [("authorization", 1000), ("capture", 1000)]


@pytest.mark.slow
def test_a_bank_that_asks_is_visited_and_the_return_page_finds_out(
    at_stripe: FakeStripe, till: Any, vera: Any, jobs: Any
) -> None:
    order = till.order(vera)
    back = "https://shop.example/back"
    asked = till.pay(vera, order, "pm_card_authenticationRequired", return_url=back)
    assert asked["status"] == "requires_action"
    assert asked["next_action"]["url"].startswith("https://hooks.stripe.test/")
    at_stripe.authenticate(at_stripe.made("payment_intent")[0]["id"])
    done = vera.client.post(f"{PAYMENTS}/{asked['id']}/confirm", {}).expect(200)
    assert (done["status"], done["captured"]) == ("succeeded", "10.00")
    at_stripe.courier.deliver(times=2)
    jobs.run_all()
    assert ledger(asked) == [("authorization", 1000), ("capture", 1000)]


def test_money_is_held_taken_in_part_given_back_and_disputed(
    at_stripe: FakeStripe, till: Any, vera: Any, staff: Any, jobs: Any, told: Any
) -> None:
    order = till.order(vera)
    held = till.pay(staff, order, capture_method="manual")
    assert (held["status"], held["authorized"]) == ("requires_capture", "10.00")
    path = f"{PAYMENTS}/{held['id']}"
    taken = staff.client.post(f"{path}/capture", {"amount": "7.00"}).expect(200)
    assert (taken["captured"], taken["authorized"], taken["refunded"]) == ("7.00", "0.00", "0.00")
    back = staff.client.post(f"{path}/refunds", {"amount": "3.00"}).expect(201)
    assert back["status"] == "succeeded"
    staff.client.post(f"{path}/refunds", {"amount": "4.01"}).expect(422)
    at_stripe.courier.deliver(order="shuffled", times=2)
    jobs.run_all()
    shown = staff.client.get(path).expect(200)
    assert (shown["captured"], shown["refunded"]) == ("7.00", "3.00")
    assert [row.reason for row in Refund.select()] == ["requested_by_customer"]

    other = till.order(vera)
    lost = till.pay(vera, other, "pm_card_createDispute")
    at_stripe.books.pass_time()
    dispute_ends(at_stripe.books, at_stripe.made("dispute")[0], "lost")
    at_stripe.courier.deliver(order="reversed", times=2)
    jobs.run_all()
    shown = staff.client.get(f"{PAYMENTS}/{lost['id']}").expect(200)
    assert shown["flag"]
    assert told(other).count("payment.disputed") >= 1
    assert ("dispute", 1000) in ledger(lost)


@pytest.mark.slow
def test_a_refund_that_fails_late_is_taken_back_and_flagged(
    at_stripe: FakeStripe, till: Any, vera: Any, staff: Any, jobs: Any
) -> None:
    payment = till.pay(vera, till.order(vera), "pm_card_refundFail")
    path = f"{PAYMENTS}/{payment['id']}"
    staff.client.post(f"{path}/refunds", {"amount": "4.00"}).expect(201)
    at_stripe.books.pass_time()
    at_stripe.courier.deliver(order="reversed")
    jobs.run_all()
    shown = staff.client.get(path).expect(200)
    assert shown["refunded"] == "0.00"
    assert "refund failed" in shown["flag"]


def test_what_is_not_signed_or_stale_changes_nothing_and_what_is_lost_is_found_again(
    at_stripe: FakeStripe, till: Any, vera: Any, staff: Any, jobs: Any, clock: Any
) -> None:
    order = till.order(vera)
    payment = vera.client.post(PAYMENTS, {"order": order["id"]}).expect(201)
    in_browser(at_stripe, "pm_card_visa")
    courier = at_stripe.courier
    for event in courier.waiting:
        assert courier.deliver_tampered(event) == 400
        assert courier.deliver_stale(event) == 400
    jobs.run_all()
    path = f"{PAYMENTS}/{payment['id']}"
    assert staff.client.get(path).expect(200)["captured"] == "0.00"

    assert courier.drop() > 0
    clock.move(minutes=6)
    jobs.run_all()
    assert staff.client.get(path).expect(200)["captured"] == "10.00"
    assert vera.client.get(f"{ORDERS}/{order['id']}").expect(200)["payment_status"] == "paid"

    # Also what somebody did in Stripe's dashboard, long after everything was settled.
    intent = at_stripe.made("payment_intent")[0]["id"]
    choosing.current().refund(intent, 400, "duplicate", "", "in the dashboard")
    courier.drop()
    assert reconcile().repaired == 1
    assert staff.client.get(path).expect(200)["refunded"] == "4.00"
    assert reconcile().repaired == 0
    assert Payment.get_by_id(payment["id"]).refunded == 400


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["500_after", "cut_after", "500_before", "cut_before"])
def test_an_answer_that_is_lost_makes_no_second_charge(
    at_stripe: FakeStripe, till: Any, vera: Any, staff: Any, jobs: Any, fault: str
) -> None:
    for path in ("/v1/payment_intents", ".*/confirm", "/v1/refunds"):
        # Longer than the provider asks by itself: the shop asks again, with the same key.
        at_stripe.faults.plan(fault, path, times=4)
    order = till.order(vera)
    headers = {"Idempotency-Key": "browser-1"}
    for _ in range(6):
        answer = vera.client.post(
            PAYMENTS, {"order": order["id"], "payment_method": "pm_card_visa"}, headers=headers
        )
        if answer.status_code == 201:
            break
        assert answer.status_code == 503
    payment = answer.expect(201)
    assert payment["status"] == "succeeded"
    path = f"{PAYMENTS}/{payment['id']}/refunds"
    given = {"amount": "4.00"}
    for _ in range(6):
        answer = staff.client.post(path, given, headers={"Idempotency-Key": "desk-1"})
        if answer.status_code == 201:
            break
        assert answer.status_code == 503
    answer.expect(201)
    at_stripe.courier.deliver(times=2, order="reversed")
    jobs.run_all()
    assert len(at_stripe.made("charge")) == 1
    assert [item["amount"] for item in at_stripe.made("refund")] == [400]
    assert sorted(ledger(payment)) == [("authorization", 1000), ("capture", 1000), ("refund", 400)]


@pytest.mark.slow
def test_refunds_at_once_never_exceed_what_was_captured(
    at_stripe: FakeStripe, till: Any, vera: Any, staff: Any, at_once: Any, jobs: Any
) -> None:
    payment = till.pay(vera, till.order(vera))
    path = f"{PAYMENTS}/{payment['id']}/refunds"

    def give_back() -> int:
        return staff.client.post(path, {"amount": "3.00"}).status_code

    outcomes = at_once(*[give_back] * 5)
    assert sorted(outcomes) == [201, 201, 201, 422, 422]
    at_stripe.courier.deliver(order="shuffled")
    jobs.run_all()
    assert [item["amount"] for item in at_stripe.made("refund")] == [300, 300, 300]
    assert staff.client.get(f"{PAYMENTS}/{payment['id']}").expect(200)["refunded"] == "9.00"


@pytest.mark.slow
def test_cards_are_kept_at_stripe_and_pay_again(
    at_stripe: FakeStripe, till: Any, vera: Any, otto: Any
) -> None:
    begun = vera.client.post(
        f"{PAYMENTS}/setup-intents", {"payment_method": "pm_card_amex"}
    ).expect(201)
    assert begun["status"] == "succeeded"
    [kept] = vera.client.get(f"{PAYMENTS}/methods").expect(200)["results"]
    assert (kept["brand"], kept["last4"], kept["is_default"]) == ("amex", "0005", True)
    payment = till.pay(vera, till.order(vera), kept["id"])
    assert (payment["status"], payment["method"]) == ("succeeded", "amex 0005")
    till.pay(otto, till.order(otto), kept["id"], expect=422)
    vera.client.delete(f"{PAYMENTS}/methods/{kept['id']}").expect(204)
    assert at_stripe.made("payment_method")[0]["customer"] is None


@pytest.mark.slow
def test_what_stripe_says_of_the_account_is_shown_to_staff(
    at_stripe: FakeStripe, till: Any, vera: Any, staff: Any, set_to: Any
) -> None:
    till.pay(vera, till.order(vera))
    usage = staff.client.get(f"{PAYMENTS}/usage").expect(200)
    assert (usage["provider"], usage["is_test"]) == ("stripe", True)
    [dollars] = usage["currencies"]
    assert (dollars["volume"], dollars["payments"], dollars["fees"]) == ("10.00", 1, "0.59")
    set_to("stripe_api_key", "sk_test_of_somebody_else")
    broken = staff.client.get(f"{PAYMENTS}/usage").expect(503)
    assert "sk_test" not in str(broken)


@pytest.mark.slow
def test_an_operator_checks_the_keys(
    at_stripe: FakeStripe, command: Any, set_to: Any, till: Any, vera: Any
) -> None:
    till.pay(vera, till.order(vera))
    assert command("payments", "check") == "stripe answers (test money; currencies: USD).\n"
    set_to("stripe_webhook_secret", "")
    assert "payments.stripe_webhook_secret" in command("payments", "check", fails=True)
    set_to("stripe_api_key", "sk_test_of_somebody_else")
    told = command("payments", "check", fails=True)
    assert "payments.stripe_api_key" in told
    assert "sk_test" not in told
