"""What providers tell, late, twice, out of order or not at all; and what is in excess."""

import contextlib
import time
from datetime import timedelta
from typing import Any

import orjson

from bodega_payments import choosing, reconciling, recording
from bodega_payments.models import Dispute, Payment, ReceivedEvent, Refund, SandboxEvent
from bodega_payments.sandbox.signing import sign
from bodega_sdk import now

PAYMENTS, ORDERS = "/api/v1/payments", "/api/v1/orders"
HOOK = f"{PAYMENTS}/webhooks/sandbox"


def engine() -> Any:
    """The sandbox's engine: what happens at the provider, behind our back."""
    found: Any = choosing.provider("sandbox")
    return found.engine


def row_of(payment: Any) -> Payment:
    """The row of a payment."""
    found: Payment = Payment.get_by_id(payment["id"])
    return found


def tell(client: Any, intent: str, name: str = "evt_1", at: float = 0, signature: str = "") -> Any:
    """Send a webhook about an intent; return the answer."""
    made = {"id": name, "type": "payment_intent.succeeded", "created": 1, "intent": intent}
    body = orjson.dumps(made)
    headers = {"sandbox-signature": signature or sign(body, int(at or time.time()))}
    return client.request("POST", HOOK, body=body, headers=headers)


def test_a_webhook_is_kept_once_and_the_provider_is_asked_what_is_true(
    till: Any, vera: Any, client: Any, jobs: Any, told: Any
) -> None:
    order = till.order(vera)
    payment = till.pay(vera, order, "pm_card_threeDSecure2Required")
    intent = row_of(payment).provider_id
    # It says that it has succeeded, and it has not.
    for _ in range(3):
        assert tell(client, intent).status_code == 200
    jobs.run_all()
    assert ReceivedEvent.select().where(ReceivedEvent.event_id == "evt_1").count() == 1
    assert row_of(payment).status == "requires_action"
    engine().resolve_action(intent, True)
    assert tell(client, intent, "evt_2").status_code == 200
    jobs.run_all()
    assert row_of(payment).status == "succeeded"
    assert told(order).count("payment.captured") == told(order).count("order.paid") == 1
    # An intent of somebody else's, and an event about none.
    for strange in ("pi_unknown", ""):
        assert tell(client, strange, f"evt_{strange}").status_code == 200
    jobs.run_all()
    assert ReceivedEvent.select().where(ReceivedEvent.handled_at.is_null()).count() == 0


def test_what_is_not_signed_or_long_ago_or_for_nobody_is_refused(client: Any) -> None:
    assert tell(client, "pi_1", at=time.time() - 301).status_code == 400
    assert tell(client, "pi_1", at=time.time() + 301).status_code == 400
    for bad in (" ", "t=1,v1=00", f"t={int(time.time())},v1={'0' * 64}", "t=²,v1=é", "t=,v1="):
        assert tell(client, "pi_1", signature=bad).status_code == 400
    for nobody in ("nobody", "Stripe", "a b"):
        assert client.post(f"{PAYMENTS}/webhooks/{nobody}", {}).status_code == 404
    assert client.post(f"{PAYMENTS}/webhooks/stripe", {}).status_code == 503
    assert ReceivedEvent.select().count() == 0


def test_a_stale_state_undoes_nothing(till: Any, vera: Any, staff: Any, told: Any) -> None:
    order = till.order(vera)
    payment = till.pay(staff, order, capture_method="manual")
    row = row_of(payment)
    provider = choosing.provider("sandbox")
    states = [provider.retrieve_intent(row.provider_id)]
    staff.client.post(f"{PAYMENTS}/{row.id}/capture", {"amount": "6.00"}).expect(200)
    states.append(provider.retrieve_intent(row.provider_id))
    staff.client.post(f"{PAYMENTS}/{row.id}/refunds", {"amount": "1.00"}).expect(201)
    after, events = row_of(payment), told(order)
    for state in (*states, *reversed(states)):
        recording.record(row.id, state)
    found = row_of(payment)
    names = ("status", "authorized", "captured", "refunded", "reserved")
    assert [getattr(found, n) for n in names] == [getattr(after, n) for n in names]
    assert told(order) == events


def test_a_second_payment_that_comes_late_goes_back_and_is_flagged(
    till: Any, vera: Any, staff: Any, jobs: Any, told: Any
) -> None:
    order = till.order(vera)
    slow = till.pay(vera, order, "pm_usBankAccount_success", headers={"Idempotency-Key": "a"})
    held = till.pay(
        staff, order, "pm_card_threeDSecure2Required", headers={"Idempotency-Key": "b"},
        capture_method="manual",
    )  # fmt: skip
    assert (slow["status"], held["status"]) == ("processing", "requires_action")
    paid = till.pay(vera, order, headers={"Idempotency-Key": "c"})
    assert paid["status"] == "succeeded"
    engine().resolve_action(row_of(held).provider_id, True)
    with engine().store.atomic():
        engine().debit_succeeded(row_of(slow).provider_id)
    jobs.run_all()
    assert row_of(held).status == "canceled"
    assert (row_of(slow).captured, row_of(slow).refunded) == (1000, 1000)
    assert row_of(paid).flag == ""
    assert "paid for already" in row_of(held).flag
    assert "paid for already" in row_of(slow).flag
    shown = vera.client.get(f"{ORDERS}/{order['id']}").expect(200)
    assert (shown["status"], shown["payment_status"]) == ("confirmed", "paid")
    assert told(order).count("payment.flagged") == 2
    flagged = staff.client.get(PAYMENTS, params={"flagged": "true"}).expect(200)
    assert flagged["count"] == 2
    assert "flag" not in vera.client.get(f"{PAYMENTS}/{slow['id']}").expect(200)


def test_a_cancelled_order_gives_back_what_was_paid_and_ends_what_was_not(
    till: Any, vera: Any, jobs: Any, told: Any
) -> None:
    order = till.order(vera)
    open_ = till.pay(vera, order, "pm_card_threeDSecure2Required", headers={"Idempotency-Key": "a"})
    paid = till.pay(vera, order, headers={"Idempotency-Key": "b"})
    vera.client.post(f"{ORDERS}/{order['id']}/cancel", {}).expect(200)
    jobs.run_all()
    assert (row_of(paid).refunded, row_of(open_).status) == (1000, "canceled")
    assert vera.client.get(f"{ORDERS}/{order['id']}").expect(200)["status"] == "refunded"
    assert told(order).count("payment.refunded") == 1


def test_reconciling_repairs_when_every_webhook_was_lost(
    till: Any, vera: Any, staff: Any, told: Any
) -> None:
    order, other = till.order(vera), till.order(vera)
    payment = till.pay(vera, order, "pm_card_threeDSecure2Required")
    paid = till.pay(vera, other)
    engine().resolve_action(row_of(payment).provider_id, True)
    # In the provider's dashboard.
    engine().create_refund({"payment_intent": row_of(paid).provider_id, "amount": 300})
    SandboxEvent.delete().execute()
    found = reconciling.reconcile(timedelta(0))
    assert (found.repaired, found.silent) == (2, 0)
    assert row_of(payment).status == "succeeded"
    assert row_of(paid).refunded == 300
    assert Refund.get().reason == "made_elsewhere"
    assert told(order)[-1] == "order.paid"
    assert reconciling.reconcile(timedelta(0)).repaired == 0


def test_disputes_take_money_and_may_give_it_back(
    till: Any, vera: Any, staff: Any, jobs: Any, told: Any
) -> None:
    orders = [till.order(vera), till.order(vera)]
    won, lost = [till.pay(vera, order, "pm_card_createDispute") for order in orders]
    jobs.run_all()
    assert row_of(won).disputed == 1000
    assert "disputes it" in row_of(won).flag
    staff.client.post(f"{PAYMENTS}/{won['id']}/refunds", {}).expect(422)
    for payment, is_won in ((won, True), (lost, False)):
        dispute = Dispute.get(Dispute.payment == row_of(payment)).provider_id
        engine().close_dispute(dispute, is_won)
    jobs.run_all()
    assert (row_of(won).disputed, row_of(lost).lost) == (0, 1000)
    statuses = [vera.client.get(f"{ORDERS}/{o['id']}").expect(200)["status"] for o in orders]
    assert statuses == ["confirmed", "refunded"]
    assert told(orders[0]).count("payment.disputed") == 2
    staff.client.post(f"{PAYMENTS}/{won['id']}/refunds", {}).expect(201)


def test_a_refund_that_fails_later_can_be_made_again(
    till: Any, vera: Any, staff: Any, jobs: Any
) -> None:
    payment = till.pay(vera, till.order(vera), "pm_card_refundFail")
    refund = staff.client.post(f"{PAYMENTS}/{payment['id']}/refunds", {}).expect(201)
    assert refund["status"] == "succeeded"
    with engine().store.atomic():
        engine().fail_refund(Refund.get_by_id(refund["id"]).provider_id)
    jobs.run_all()
    row = row_of(payment)
    assert (row.refunded, row.captured) == (0, 1000)
    assert "refund failed" in row.flag
    staff.client.post(f"{PAYMENTS}/{payment['id']}/refunds", {}).expect(201)


def test_methods_are_kept_preferred_used_and_forgotten(
    till: Any, vera: Any, otto: Any, jobs: Any
) -> None:
    methods, setups = f"{PAYMENTS}/methods", f"{PAYMENTS}/setup-intents"
    body = {"payment_method": "pm_card_mastercard"}
    setup = vera.client.post(setups, body).expect(201)
    assert (setup["status"], setup["is_test"]) == ("succeeded", True)
    vera.client.post(setups, {"payment_method": "pm_card_chargeDeclined"}).expect(402)
    kept = vera.client.post(methods, {"setup_intent": setup["id"]}).expect(201)
    assert (kept["brand"], kept["last4"], kept["is_default"]) == ("mastercard", "4444", True)
    otto.client.post(methods, {"setup_intent": setup["id"]}).expect(422)
    empty = vera.client.post(setups, {}).expect(201)
    vera.client.post(methods, {"setup_intent": empty["id"]}).expect(409)
    # One that is kept by paying.
    till.pay(vera, till.order(vera), "pm_card_amex", save=True)
    listed = vera.client.get(methods).expect(200)["results"]
    assert sorted(item["brand"] for item in listed) == ["amex", "mastercard"]
    amex = next(item for item in listed if item["brand"] == "amex")
    assert vera.client.post(f"{methods}/{amex['id']}/default").expect(200)["is_default"]
    assert not vera.client.get(f"{methods}/{kept['id']}").expect(200)["is_default"]
    till.pay(vera, till.order(vera), kept["id"])
    till.pay(otto, till.order(otto), kept["id"], expect=422)
    otto.client.delete(f"{methods}/{kept['id']}").expect(404)
    assert vera.client.delete(f"{methods}/{kept['id']}").status_code == 204
    till.pay(vera, till.order(vera), kept["id"], expect=422)
    vera.account.delete_instance()


def test_usage_is_asked_of_the_provider_and_limited(till: Any, vera: Any, staff: Any) -> None:
    till.pay(vera, till.order(vera))
    usage = f"{PAYMENTS}/usage"
    shown = staff.client.get(usage, params={"days": "1"}).expect(200)
    assert (shown["provider"], shown["is_test"]) == ("sandbox", True)
    assert shown["currencies"][0]["volume"] == "10.00"
    answers = [staff.client.get(usage).status_code for _ in range(10)]
    assert answers == [200] * 9 + [429]
    vera.client.get(usage).expect(403)


def test_a_process_that_died_between_two_steps_is_caught_up_with(
    till: Any, vera: Any, monkeypatch: Any
) -> None:
    from bodega_payments import checkpoints

    class Died(BaseException):
        pass

    def die(name: str) -> None:
        if name == "after_provider_call":
            raise Died

    order = till.order(vera)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "passing", die)
        with contextlib.suppress(Died):
            till.pay(vera, order)
    assert Payment.get().provider_id is None
    began = now()
    reconciling.reconcile(timedelta(0))
    row = Payment.get()
    assert (row.status, row.captured, row.checked_at >= began) == ("succeeded", 1000, True)


def test_a_hold_that_nobody_captured_in_time_is_flagged(till: Any, vera: Any, staff: Any) -> None:
    payment = till.pay(staff, till.order(vera), capture_method="manual")
    with engine().store.atomic():
        engine().expire(row_of(payment).provider_id)
    reconciling.reconcile(timedelta(0))
    row = row_of(payment)
    assert (row.status, row.authorized) == ("canceled", 0)
    assert "never captured" in row.flag
