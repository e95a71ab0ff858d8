"""What payments make of an order: sums are said, once or often, in whatever order."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega.database.tables import EventRow
from bodega_inventory import api as inventory
from bodega_inventory.models import Level, Movement, Reservation
from bodega_orders import api, changing, statuses, stock
from bodega_orders.models import History, Line, Order
from bodega_orders.statuses import SHOP, By, payment_status
from bodega_sdk import now, transaction, uuid7
from bodega_sdk.errors import NotFound, Problem

STAFF, BUYER = By(statuses.STAFF), By(statuses.CUSTOMER)
TOTAL = 1000


def an_order(product: UUID, quantity: int = 2, total: int = TOTAL, **members: Any) -> Order:
    """An order as checkout leaves it, made without its requests."""
    with transaction():
        order: Order = Order.create(
            number=uuid7().hex[:18], email="eve@shop.example", currency="USD", subtotal=total,
            discount=0, shipping=0, tax=0, total=total,
            **{"expires_at": now().replace(year=2100)} | members,
        )  # fmt: skip
        line = Line.create(
            order=order.id, place=0, item=product, product=product, sku="P", name="Lamp",
            quantity=quantity, unit_price=total // quantity, total=total,
        )  # fmt: skip
        stock.promise(order, [line])
    return order


def held() -> tuple[int, int]:
    """What is on the shelf, and promised, of the only item there is."""
    row = Level.get()
    return row.on_hand, row.reserved


def told(order: Order) -> list[str]:
    """The names of the events of an order, without ``order.``."""
    query = EventRow.select().where(EventRow.key == str(order.id), EventRow.name ** "order.%")
    return [row.name.removeprefix("order.") for row in query.order_by(EventRow.id)]


def say(order: Order, authorized: int = 0, captured: int = 0, refunded: int = 0) -> api.Settled:
    """Say the sums of an order twice: the second time nothing happens."""
    sums: dict[str, Any] = {
        "authorized": authorized, "captured": captured, "refunded": refunded,
    }  # fmt: skip
    first = api.settle(order.id, **sums)
    before = (told(order), held(), History.select().count())
    assert api.settle(order.id, **sums) == first
    assert (told(order), held(), History.select().count()) == before
    return first


def test_a_captured_payment_confirms_and_pays_once(goods: Any) -> None:
    order = an_order(goods.make())
    assert held() == (10, 2)
    done = say(order, captured=TOTAL)
    assert (done.due.status, done.due.payment_status, done.excess.minor) == ("confirmed", "paid", 0)
    assert done.due.captured.minor == TOTAL
    assert (held(), told(order)) == ((8, 0), ["confirmed", "paid"])


def test_what_is_held_confirms_and_what_is_captured_pays(goods: Any) -> None:
    order = an_order(goods.make())
    assert say(order, authorized=TOTAL - 1).due.status == "pending"
    done = say(order, authorized=TOTAL)
    assert (done.due.status, done.due.payment_status) == ("confirmed", "authorized")
    part = say(order, authorized=400, captured=600)
    assert (part.due.payment_status, told(order)) == ("authorized", ["confirmed"])
    assert say(order, captured=TOTAL).due.payment_status == "paid"
    assert told(order) == ["confirmed", "paid"]


def test_refunds_in_parts_and_then_all_of_it(goods: Any) -> None:
    order = an_order(goods.make())
    say(order, captured=TOTAL)
    assert say(order, captured=TOTAL, refunded=300).due.payment_status == "partially_refunded"
    done = say(order, captured=TOTAL, refunded=TOTAL)
    assert (done.due.status, done.due.payment_status) == ("refunded", "refunded")
    # Money came back, goods did not: what stands on the shelf is another matter.
    assert (held(), told(order)) == ((8, 0), ["confirmed", "paid", "refunded"])
    # All of it told at once ends alike.
    other = an_order(Line.get().product)
    done = say(other, captured=TOTAL, refunded=TOTAL)
    assert (done.due.status, told(other)) == ("refunded", ["confirmed", "paid", "refunded"])


def test_what_is_paid_twice_is_in_excess_until_it_is_given_back(goods: Any) -> None:
    order = an_order(goods.make())
    assert say(order, captured=2 * TOTAL).excess.minor == TOTAL
    assert say(order, authorized=TOTAL, captured=TOTAL).excess.minor == TOTAL
    done = say(order, captured=2 * TOTAL, refunded=TOTAL)
    assert (done.excess.minor, done.due.payment_status) == (0, "paid")
    assert told(order) == ["confirmed", "paid"]


def test_a_payment_for_a_cancelled_order_is_in_excess_wholly(goods: Any) -> None:
    order = an_order(goods.make())
    with transaction():
        changing.cancel(Order.get_by_id(order.id), BUYER)
    done = say(order, captured=TOTAL)
    assert (done.due.status, done.excess.minor) == ("cancelled", TOTAL)
    done = say(order, captured=TOTAL, refunded=TOTAL)
    assert (done.due.status, done.excess.minor, held()) == ("refunded", 0, (10, 0))
    assert told(order) == ["cancelled", "refunded"]


def test_who_pays_late_gets_what_is_still_there_and_else_their_money(goods: Any) -> None:
    lamp = goods.make(stock=3)
    lucky, late = an_order(lamp), None
    inventory.release(lucky.reference)
    assert say(lucky, captured=TOTAL).due.status == "confirmed"
    assert held() == (1, 0)
    inventory.receive([inventory.Item(lamp, None, 1)], reason="test")
    late = an_order(lamp)
    inventory.release(late.reference)
    other = an_order(lamp, 1, 500)
    done = say(late, authorized=200, captured=800)
    assert (done.due.status, done.excess.minor) == ("cancelled", TOTAL)
    assert (told(late), held()) == (["cancelled"], (2, 1))
    assert Reservation.get(Reservation.reference == other.reference).status == "open"


def test_a_failed_payment_is_shown_until_another_one_works(goods: Any) -> None:
    order = an_order(goods.make())
    done = api.settle(order.id, authorized=0, captured=0, refunded=0, failed=True)
    assert (done.due.status, done.due.payment_status) == ("pending", "failed")
    assert say(order, captured=TOTAL).due.payment_status == "paid"


def test_sums_that_cannot_be_are_refused(goods: Any) -> None:
    order = an_order(goods.make())
    for authorized, captured, refunded in ((-1, 0, 0), (0, -1, 0), (0, 0, -1), (0, 5, 6)):
        with pytest.raises(ValueError, match="sums that cannot be"):
            api.settle(order.id, authorized=authorized, captured=captured, refunded=refunded)
    with pytest.raises(NotFound):
        api.settle(uuid7(), authorized=0, captured=0, refunded=0)
    with transaction():
        assert api.hold(order.id).total.minor == TOTAL


def test_three_webhooks_at_once_pay_an_order_once(goods: Any, at_once: Any) -> None:
    order = an_order(goods.make())

    def settle() -> str:
        return api.settle(order.id, authorized=0, captured=TOTAL, refunded=0).due.status

    assert at_once(*[settle] * 6) == ["confirmed"] * 6
    assert (told(order), held()) == (["confirmed", "paid"], (8, 0))


@given(*[st.integers(0, 50)] * 4)
@settings(max_examples=300)
def test_a_payment_status_follows_from_the_sums(
    total: int, authorized: int, captured: int, refunded: int
) -> None:
    refunded = min(refunded, captured)
    found = payment_status(total, authorized, captured, refunded, failed=False)
    kept = captured - refunded
    assert found in statuses.PAYMENT_STATUSES
    assert (found == "paid") == (kept >= total)
    assert found != "refunded" or (kept == 0 and captured)
    assert found != "unpaid" or authorized + captured < total


ACTS = ("pay", "hold", "capture", "give_back", "give_all_back", "fail", "confirm", "process",
        "ship", "deliver", "cancel", "cancel_as_buyer", "end", "expire")  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.sampled_from(ACTS), max_size=12))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_stock_status_and_payment_agree(goods: Any, acts: list[str]) -> None:
    lamp = goods.make(stock=2)
    order = an_order(lamp)
    sums = {"authorized": 0, "captured": 0, "refunded": 0}
    for act in acts:
        _do(order, act, sums)
        _check(Order.get_by_id(order.id), lamp, sums)


def _do(order: Order, act: str, sums: dict[str, Any]) -> None:
    steps = {"confirm": changing.confirm, "process": changing.process, "ship": changing.ship,
             "deliver": changing.deliver, "cancel": changing.cancel}  # fmt: skip
    if act == "end":
        row = Reservation.get(Reservation.reference == order.reference)
        if row.status == "open":
            inventory.release(order.reference)
        return
    if act in steps or act in ("cancel_as_buyer", "expire"):
        by = {"cancel_as_buyer": BUYER, "expire": SHOP}.get(act, STAFF)
        try:
            with transaction():
                found = Order.get_by_id(order.id)
                steps.get(act, changing.cancel)(found, by)
        except Problem:
            return
        return
    if act == "pay":
        sums["captured"] += TOTAL
    elif act == "hold":
        sums["authorized"] += TOTAL
    elif act == "capture":
        sums["captured"] += sums["authorized"]
        sums["authorized"] = 0
    elif act == "give_back":
        sums["refunded"] = min(sums["captured"], sums["refunded"] + TOTAL // 3)
    elif act == "give_all_back":
        sums["refunded"] = sums["captured"]
    first = api.settle(order.id, **sums, failed=act == "fail")
    assert api.settle(order.id, **sums, failed=act == "fail") == first


def _check(order: Order, lamp: UUID, sums: dict[str, int]) -> None:
    level = Level.get_by_id(lamp)
    sold = order.stock == "sold"
    assert level.on_hand == (0 if sold else 2)
    assert sum(r.quantity for r in Movement.select().where(Movement.item == lamp)) == (
        level.on_hand - level.reserved
    )
    if order.status in ("confirmed", "processing", "shipped", "delivered"):
        assert sold
    if order.status in ("pending", "cancelled"):
        assert not sold
    assert level.reserved in ((0, 2) if order.status == "pending" else (0,))
    assert (order.authorized, order.captured, order.refunded) == tuple(sums.values())
    events = told(order)
    assert len(events) == len(set(events)), events
    assert ("paid" in events) == (order.paid_at is not None)
    if order.status == "refunded":
        assert sums["captured"] > 0
