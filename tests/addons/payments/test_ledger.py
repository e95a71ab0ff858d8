"""The ledger adds up, whatever happens and in whichever order it is heard of."""

import contextlib
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bodega_orders.models import Order
from bodega_payments import choosing, paying, recording, refunding
from bodega_payments.models import LedgerEntry, Payment, Refund
from bodega_payments.paying import Wanted
from bodega_payments.sandbox.engine import EngineError
from bodega_sdk.errors import Problem

PAYMENTS = "/api/v1/payments"
CARDS = ("pm_card_visa", "pm_card_threeDSecure2Required", "pm_card_chargeDeclined")


def sums(payment: Payment) -> dict[str, int]:
    """What the lines of a payment's ledger come to, by kind."""
    found: dict[str, int] = {}
    for row in LedgerEntry.select().where(LedgerEntry.payment == payment):
        found[row.kind] = found.get(row.kind, 0) + row.amount
    return found


def adds_up(payment: Payment) -> None:
    """Hold the ledger against the payment's row, and both against the order's."""
    of = sums(payment).get

    def left(kind: str, *taken: str) -> int:
        return of(kind, 0) - sum(of(name, 0) for name in taken)

    assert left("authorization", "capture", "void") == payment.authorized
    assert left("capture") == payment.captured
    assert left("refund", "refund_failed") == payment.refunded
    assert left("dispute", "dispute_won") == payment.disputed
    assert 0 <= payment.refunded <= payment.captured <= payment.amount
    order = Order.get_by_id(payment.order)
    back = min(payment.captured, payment.refunded + payment.lost)
    assert (order.captured, order.refunded) == (payment.captured, back)


def a_machine(till: Any, vera: Any) -> type[RuleBasedStateMachine]:
    """A payment to which everything happens, told late, twice, stale or not at all."""

    class Machine(RuleBasedStateMachine):
        provider: Any
        engine: Any

        def __init__(self) -> None:
            super().__init__()
            order = UUID(till.order(vera, 1000)["id"])
            self.payment = paying.begin(Wanted(order, "manual"), "")
            self.provider = choosing.provider("sandbox")
            self.engine = self.provider.engine
            self.intent = self.payment.provider_id
            self.heard = [self.provider.retrieve_intent(self.intent)]

        def row(self) -> Payment:
            found: Payment = Payment.get_by_id(self.payment.id)
            return found

        def happens(self, do: Any) -> None:
            """Do what may be refused; what it came to may be told later."""
            with contextlib.suppress(EngineError, Problem):
                do()
            self.heard.append(self.provider.retrieve_intent(self.intent))

        @rule(card=st.sampled_from(CARDS), ours=st.booleans())
        def confirm(self, card: str, ours: bool) -> None:
            body = {"payment_method": card}
            self.happens(
                (lambda: paying.confirm(self.payment.id, card, ""))
                if ours
                else (lambda: self.engine.confirm_intent(self.intent, body))
            )

        @rule(approved=st.booleans())
        def answer(self, approved: bool) -> None:
            self.happens(lambda: self.engine.resolve_action(self.intent, approved))

        @rule(amount=st.sampled_from([1, 600, 1000]), ours=st.booleans())
        def capture(self, amount: int, ours: bool) -> None:
            self.happens(
                (lambda: paying.capture(self.payment.id, amount))
                if ours
                else (lambda: self.engine.capture_intent(self.intent, amount))
            )

        @rule(amount=st.sampled_from([1, 250, 600]), ours=st.booleans())
        def refund(self, amount: int, ours: bool) -> None:
            told = {"payment_intent": self.intent, "amount": amount}
            self.happens(
                (lambda: refunding.refund(self.payment.id, amount, "duplicate", "", None, ""))
                if ours
                else (lambda: self.engine.create_refund(told))
            )

        @precondition(lambda self: self.engine.refunds(self.intent))
        @rule()
        def fail_a_refund(self) -> None:
            refund = self.engine.refunds(self.intent)[-1]
            if refund["status"] != "failed":
                with self.engine.store.atomic():
                    self.engine.fail_refund(refund["id"])
            self.happens(lambda: None)

        @rule(won=st.booleans())
        def dispute(self, won: bool) -> None:
            thing = self.engine.retrieve_intent(self.intent)
            disputes = self.engine.disputes(self.intent)
            if thing["status"] == "succeeded" and not disputes:
                if self.engine.refundable(thing):
                    with self.engine.store.atomic():
                        self.engine.open_dispute(thing)
            elif disputes and disputes[0]["status"] == "needs_response":
                self.engine.close_dispute(disputes[0]["id"], won)
            self.happens(lambda: None)

        @rule()
        def cancel(self) -> None:
            self.happens(lambda: self.engine.cancel_intent(self.intent))

        @rule(data=st.data(), times=st.integers(1, 2))
        def hear_of_the_past(self, data: Any, times: int) -> None:
            state = data.draw(st.sampled_from(self.heard))
            for _ in range(times):
                recording.record(self.payment.id, state)

        @rule()
        def look(self) -> None:
            recording.refresh(self.payment.id)

        @invariant()
        def it_adds_up(self) -> None:
            adds_up(self.row())

        def teardown(self) -> None:
            """In the end it is what the provider says, as if all had been told in order."""
            recording.refresh(self.payment.id)
            row, truth = self.row(), self.provider.retrieve_intent(self.intent)
            back = sum(item.amount for item in truth.refunds if item.status != "failed")
            assert (row.status, row.authorized, row.captured, row.refunded) == (
                truth.status, truth.authorized, truth.captured, back,
            )  # fmt: skip
            adds_up(row)
            assert row.reserved == sum(
                item.amount for item in Refund.select().where(Refund.payment == row)
                if item.status == "reserved"
            )  # fmt: skip

    return Machine


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_ledger_adds_up_whatever_is_heard_in_whichever_order(till: Any, vera: Any) -> None:
    calm = settings(
        max_examples=40, stateful_step_count=25, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(a_machine(till, vera), settings=calm)


def test_no_two_refunds_give_back_the_same_money(
    till: Any, vera: Any, staff: Any, at_once: Any, told: Any
) -> None:
    order = till.order(vera)
    payment = till.pay(vera, order)

    def give_back() -> Any:
        return refunding.refund(UUID(payment["id"]), 300, "duplicate", "", None, "").status

    outcomes = at_once(*([give_back] * 6))
    assert outcomes.count("succeeded") == 3
    assert sum(isinstance(one, Problem) for one in outcomes) == 3
    row = Payment.get_by_id(payment["id"])
    assert (row.refunded, row.reserved) == (900, 0)
    adds_up(row)
    assert told(order).count("payment.refunded") == 3
    engine: Any = choosing.provider("sandbox")
    assert sum(item["amount"] for item in engine.engine.refunds(row.provider_id)) == 900


def test_a_refund_that_the_provider_refuses_is_let_go_again(
    till: Any, vera: Any, staff: Any
) -> None:
    payment = till.pay(vera, till.order(vera))
    engine: Any = choosing.provider("sandbox")
    intent = Payment.get_by_id(payment["id"]).provider_id
    # Somebody gives all of it back in the dashboard first, and we have not heard of it.
    engine.engine.create_refund({"payment_intent": intent, "amount": 700})
    staff.client.post(f"{PAYMENTS}/{payment['id']}/refunds", {"amount": "6.00"}).expect(409)
    row = Payment.get_by_id(payment["id"])
    assert (row.refunded, row.reserved) == (700, 0)
    staff.client.post(f"{PAYMENTS}/{payment['id']}/refunds", {"amount": "3.00"}).expect(201)
    adds_up(Payment.get_by_id(payment["id"]))
