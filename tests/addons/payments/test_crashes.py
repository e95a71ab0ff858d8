"""A process may die anywhere: one order paid, one charge, one event, whoever comes next.

The process is a forked child that ends at a checkpoint with ``os._exit``: nothing is cleaned up.
"""

import os
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from bodega_notifications.models import Delivery, Notification
from bodega_payments import checkpoints, choosing, paying, receiving, recording
from bodega_payments.models import LedgerEntry, Payment, SandboxObject
from bodega_payments.paying import Wanted
from bodega_sdk.runtime import bound

ORDERS = "/api/v1/orders"
DIED = 42
#: What can happen in any order, each in a process of its own.
STEPS = ("return", "webhook", "webhook", "webhook", "retry")
ORDERINGS = sorted(set(permutations(STEPS)))


def engine() -> Any:
    """The sandbox's engine."""
    found: Any = choosing.provider("sandbox")
    return found.engine


def in_a_process(shop: Any, do: Callable[[], Any], dies_at: str = "") -> int:
    """Do something in a child that dies at a checkpoint; return its exit code."""
    shop.databases.close()
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code
    try:
        checkpoints.passing = lambda name: os._exit(DIED) if name == dies_at else None
        with bound(shop.current):
            do()
        shop.databases.close()
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


class Story:
    """An order whose customer approved, and what tells so."""

    def __init__(self, shop: Any, till: Any, vera: Any) -> None:
        self.shop = shop
        self.order = till.order(vera)
        self.wanted = Wanted(
            Payment.order.python_value(self.order["id"]), "automatic",
            "pm_card_threeDSecure2Required",
        )  # fmt: skip
        self.payment = paying.begin(self.wanted, "client:one")
        engine().resolve_action(self.payment.provider_id, True)

    def do(self, step: str) -> Callable[[], Any]:
        """Return what a step does."""
        return {
            "return": lambda: paying.confirm(self.payment.id, "", ""),
            "webhook": lambda: receiving._recorded("sandbox", self.payment.provider_id),
            "retry": lambda: paying.look(paying.begin(self.wanted, "client:one")),
        }[step]  # fmt: skip


def expect_one(shop: Any, story: Any, vera: Any, told: Any) -> None:
    """One order paid, one charge at the provider, one line of each kind, one event."""
    shown = vera.client.get(f"{ORDERS}/{story.order['id']}").expect(200)
    assert (shown["status"], shown["payment_status"]) == ("confirmed", "paid")
    rows = LedgerEntry.select().where(LedgerEntry.order == story.order["id"])
    assert sorted(row.kind for row in rows) == ["authorization", "capture"]
    names = told(story.order)
    for name in ("payment.authorized", "payment.captured", "order.confirmed", "order.paid"):
        assert names.count(name) == 1
    intents = SandboxObject.select().where(SandboxObject.kind == "payment_intent")
    charges = [row.data for row in intents if row.data["metadata"]["payment"]]
    mine = [data for data in charges if data["description"].endswith(shown["number"])]
    assert [data["amount_received"] for data in mine] == [1000]


@pytest.mark.parametrize("dies_at", checkpoints.NAMES)
def test_whoever_tries_again_finishes_what_a_dead_process_began(
    shop: Any, till: Any, vera: Any, told: Any, dies_at: str, jobs: Any
) -> None:
    order = till.order(vera)
    wanted = Wanted(Payment.order.python_value(order["id"]), "automatic", "pm_card_visa")

    def begin() -> None:
        paying.begin(wanted, "client:one")

    died = in_a_process(shop, begin, dies_at)
    assert died == DIED
    assert in_a_process(shop, begin) == 0
    jobs.run_all()
    story: Any = type("Begun", (), {"order": order})
    expect_one(shop, story, vera, told)
    assert Payment.select().count() == 1
    mails = Delivery.select().join(Notification).where(
        Delivery.channel == "email", Notification.type == "payment.captured"
    )  # fmt: skip
    assert mails.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("dies_at", [*checkpoints.NAMES, ""])
def test_in_every_order_of_return_webhooks_and_retry_an_order_is_paid_once(
    shop: Any, till: Any, vera: Any, told: Any, dies_at: str, jobs: Any
) -> None:
    for steps in ORDERINGS:
        story = Story(shop, till, vera)
        # Each step dies first, and is then done by somebody else or not at all.
        for place, step in enumerate(steps):
            if dies_at:
                in_a_process(shop, story.do(step), dies_at)
            if not dies_at or place == len(steps) - 1:
                assert in_a_process(shop, story.do(step)) == 0
        expect_one(shop, story, vera, told)


@pytest.mark.slow
def test_all_of_them_at_once_pay_an_order_once(
    shop: Any, till: Any, vera: Any, told: Any, at_once: Any
) -> None:
    for _ in range(5):
        story = Story(shop, till, vera)
        for outcome in at_once(*(story.do(step) for step in STEPS)):
            assert not isinstance(outcome, BaseException), outcome
        expect_one(shop, story, vera, told)
        assert recording.refresh(story.payment.id).status == "succeeded"
