"""However badly Stripe's events arrive, what is known in the end is what an orderly one tells.

Each run pays for two orders, and does the same to both at Stripe: as browsers, banks and the
dashboard do it, so that only events tell. Those of one order are delivered in order, at once.
Those of the other come twice, late, in any order, changed on the way, too old, or never.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bodega_payments.models import LedgerEntry, Payment
from bodega_payments.reconciling import reconcile
from fake_stripe import charging, intents, money
from fake_stripe.refusals import Refusal
from fake_stripe.server import FakeStripe

PAYMENTS, ORDERS = "/api/v1/payments", "/api/v1/orders"
CARDS = (
    "pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired",
    "pm_card_createDispute", "pm_card_refundFail", "pm_card_pendingRefund",
    "pm_usBankAccount_success", "pm_usBankAccount_debitNotAuthorized",
)  # fmt: skip
_FACTS = ("status", "authorized", "captured", "refunded", "reserved", "disputed", "error_code")


class Chaos(RuleBasedStateMachine):
    """What can happen to a payment at Stripe, and to the events of it."""

    # Given by the test.
    stripe: FakeStripe
    person: Any
    staff: Any
    till: Any
    jobs: Any

    @initialize(manual=st.booleans(), card=st.sampled_from(CARDS))
    def two_orders_are_to_be_paid(self, manual: bool, card: str) -> None:
        self.stripe.courier.drop()
        method = "manual" if manual else "automatic"
        self.orderly, self.chaotic = self._begin(method), self._begin(method)
        self.a_card_is_tried(card)

    def _begin(self, method: str) -> dict[str, Any]:
        order = self.till.order(self.person)
        body = {"order": order["id"], "capture_method": method}
        # Customers cannot choose to pay later; staff may choose it for them.
        payment = self.staff.client.post(PAYMENTS, body).expect(201)
        intent = self.stripe.made("payment_intent")[-1]
        return {"order": order["id"], "payment": payment["id"], "intent": intent["id"]}

    # What happens at Stripe, to both.

    @property
    def status(self) -> str:
        """Of the intents at Stripe, which have seen the same."""
        return str(self.stripe.books.find("payment_intent", self.chaotic["intent"])["status"])

    def _both(self, act: Any) -> None:
        for one in (self.orderly, self.chaotic):
            with self.stripe.books.lock:
                try:
                    act(self.stripe.books, one["intent"])
                except Refusal:
                    continue
        self._tell_orderly()

    @property
    def given_back(self) -> int:
        """By refunds so far, those that failed later too."""
        found = self.stripe.made("refund", payment_intent=self.chaotic["intent"])
        return sum(item["amount"] for item in found if item["amount"] in (100, 250))

    @precondition(lambda self: self.status == "requires_payment_method")
    @rule(card=st.sampled_from(CARDS))
    def a_card_is_tried(self, card: str) -> None:
        params = {"payment_method": card, "return_url": "https://shop.example/back"}
        self._both(lambda books, intent: intents.confirm(books, params, intent))

    @precondition(lambda self: self.status == "requires_action")
    @rule(success=st.sampled_from((True, True, False)))
    def the_bank_answers(self, success: bool) -> None:
        self._both(lambda books, intent: intents.authenticate(books, intent, success))

    @precondition(lambda self: self.status == "requires_capture")
    @rule(amount=st.sampled_from(("1000", "600")))
    def somebody_captures_in_the_dashboard(self, amount: str) -> None:
        params = {"amount_to_capture": amount}
        self._both(lambda books, intent: intents.capture(books, params, intent))

    @precondition(lambda self: self.status == "requires_capture")
    @rule()
    def the_authorization_expires(self) -> None:
        self._both(lambda books, intent: intents.expire(books, intent))

    # Never all of it: orders that were refunded keep being so, whoever heard of it in time.
    @precondition(lambda self: self.status == "succeeded" and self.given_back < 300)
    @rule(amount=st.sampled_from(("100", "250")))
    def somebody_refunds_in_the_dashboard(self, amount: str) -> None:
        self._both(
            lambda books, intent: money.create_refund(
                books, {"payment_intent": intent, "amount": amount}
            )
        )

    @precondition(lambda self: self.stripe.books.later)
    @rule()
    def time_passes(self) -> None:
        self.stripe.books.pass_time()
        self._tell_orderly()

    @precondition(lambda self: self.stripe.made("dispute", status="needs_response"))
    @rule(status=st.sampled_from(("won", "lost")))
    def disputes_end(self, status: str) -> None:
        for dispute in self.stripe.made("dispute", status="needs_response"):
            charging.dispute_ends(self.stripe.books, dispute, status)
        self._tell_orderly()

    # What happens to events.

    def _of(self, one: dict[str, Any]) -> list[Any]:
        told = self.stripe.courier.waiting
        return [event for event in told if one["intent"] in str(event["data"])]

    def _tell_orderly(self) -> None:
        courier = self.stripe.courier
        for event in self._of(self.orderly):
            courier.waiting.remove(event)
            assert courier.send(*courier.parcel(event)) == 200
            self.jobs.run_all()

    @precondition(lambda self: self.stripe.courier.waiting)
    @rule(times=st.integers(1, 3), order=st.sampled_from(("reversed", "shuffled")), seed=st.text())
    def events_come(self, times: int, order: str, seed: str) -> None:
        self.stripe.courier.deliver(times=times, order=order, seed=seed)

    @precondition(lambda self: self.stripe.courier.waiting)
    @rule(which=st.integers(0, 20))
    def one_comes_alone(self, which: int) -> None:
        told = self.stripe.courier.waiting
        assert self.stripe.courier.send(*self.stripe.courier.parcel(told[which % len(told)])) == 200

    @precondition(lambda self: self.stripe.courier.waiting)
    @rule(which=st.integers(0, 20))
    def one_is_lost(self, which: int) -> None:
        told = self.stripe.courier.waiting
        told.pop(which % len(told))

    @precondition(lambda self: self.stripe.courier.waiting)
    @rule()
    def all_are_lost(self) -> None:
        self.stripe.courier.drop()

    @precondition(lambda self: self.stripe.courier.waiting)
    @rule(which=st.integers(0, 20))
    def one_is_tampered_with_or_stale(self, which: int) -> None:
        event = self.stripe.courier.waiting[which % len(self.stripe.courier.waiting)]
        assert self.stripe.courier.deliver_tampered(event) == 400
        assert self.stripe.courier.deliver_stale(event) == 400

    @rule()
    def workers_work(self) -> None:
        self.jobs.run_all()

    # What must be true.

    def teardown(self) -> None:
        """Compare, once everything is told that was not lost, and the rest was looked for."""
        self.stripe.courier.deliver(order="shuffled", times=2)
        self.jobs.run_all()
        # What orders do not want goes back by itself, and that is told as well.
        for _ in range(3):
            self.stripe.courier.drop()
            reconcile()
            self.jobs.run_all()
        chaotic, orderly = self._known(self.chaotic), self._known(self.orderly)
        if chaotic["status"] == "canceled":
            # Only who was told in time knows that the money was held for a while.
            chaotic["order"].pop("status")
            orderly["order"].pop("status")
        assert chaotic == orderly
        self._adds_up(self.chaotic)
        self._adds_up(self.orderly)

    def _known(self, one: dict[str, Any]) -> dict[str, Any]:
        payment = Payment.get_by_id(one["payment"])
        order = self.person.client.get(f"{ORDERS}/{one['order']}").expect(200)
        shown = {name: order[name] for name in ("status", "payment_status", "captured", "refunded")
                 if name in order}  # fmt: skip
        return {name: getattr(payment, name) for name in _FACTS} | {"order": shown}

    def _adds_up(self, one: dict[str, Any]) -> None:
        """What the ledger says is what Stripe has, to the cent."""
        payment = Payment.get_by_id(one["payment"])
        [intent] = [
            item for item in self.stripe.made("payment_intent") if item["id"] == one["intent"]
        ]
        charge = self.stripe.books.objects.get(intent["latest_charge"], {})
        sums: dict[str, int] = {}
        for row in LedgerEntry.select().where(LedgerEntry.payment == payment):
            sums[row.kind] = sums.get(row.kind, 0) + row.amount
        given = sums.get("refund", 0) - sums.get("refund_failed", 0)
        assert sums.get("capture", 0) == payment.captured == intent["amount_received"]
        assert given == payment.refunded <= payment.captured
        if intent["amount_received"]:
            let_go = charge["amount"] - charge["amount_captured"]
            assert payment.refunded == charge["amount_refunded"] - let_go
        assert len(self.stripe.made("charge", payment_intent=one["intent"], captured=True)) <= 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_events_may_come_as_badly_as_they_like(
    at_stripe: FakeStripe, vera: Any, staff: Any, till: Any, jobs: Any
) -> None:
    given = {"stripe": at_stripe, "till": till, "jobs": jobs, "person": vera, "staff": staff}
    machine = type("Chaos", (Chaos,), given)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10, stateful_step_count=12, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=False,
            # A run takes seconds: what fails is told as it is.
            phases=(Phase.generate,),
        ),
    )  # fmt: skip
