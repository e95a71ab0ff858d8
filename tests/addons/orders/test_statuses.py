"""The status machine: every way there is, every way there is none, and who may go it."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest

from bodega.database.tables import EventRow
from bodega_inventory.models import Level, Movement
from bodega_orders import changing, settling, statuses
from bodega_orders.models import History, Order
from bodega_orders.statuses import ACTORS, STATUSES, TRANSITIONS, By, WrongStatus, can, way
from bodega_sdk import transaction
from bodega_sdk.errors import PermissionDenied

ORDERS = "/api/v1/orders"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}
#: All that there is, written down a second time on purpose: from, to → who.
TABLE = {
    ("pending", "confirmed"): {"staff", "system"},
    ("pending", "cancelled"): {"customer", "staff", "system"},
    ("confirmed", "processing"): {"staff"},
    ("confirmed", "cancelled"): {"customer", "staff"},
    ("confirmed", "refunded"): {"system"},
    ("processing", "shipped"): {"staff"},
    ("processing", "cancelled"): {"staff"},
    ("processing", "refunded"): {"system"},
    ("shipped", "delivered"): {"staff"},
    ("shipped", "refunded"): {"system"},
    ("delivered", "refunded"): {"system"},
    ("cancelled", "refunded"): {"system"},
}
STEPS = {
    "confirmed": changing.confirm, "processing": changing.process, "shipped": changing.ship,
    "delivered": changing.deliver, "cancelled": changing.cancel,
}  # fmt: skip
PATHS = {
    "pending": (), "confirmed": ("confirm",), "processing": ("confirm", "process"),
    "shipped": ("confirm", "process", "ship"),
    "delivered": ("confirm", "process", "ship", "deliver"), "cancelled": ("cancel",),
}  # fmt: skip


def test_the_table_is_what_was_decided() -> None:
    assert {(one.source, one.target): set(one.who) for one in TRANSITIONS} == TABLE
    for source, target, role in product(STATUSES, STATUSES, ACTORS):
        who = TABLE.get((source, target))
        if who is None:
            with pytest.raises(WrongStatus) as caught:
                way(source, target, role)
            assert caught.value.extra["order_status"] == source
        elif role not in who:
            with pytest.raises(PermissionDenied):
                way(source, target, role)
        else:
            assert way(source, target, role) in can(source, role)
    assert not can("refunded", "system")


@pytest.fixture
def place(vera: Any, goods: Any) -> Any:
    """Place an order of two lamps; return it as it is shown."""
    lamp = goods.make(price=500)

    def do(client: Any = None, **members: Any) -> Any:
        items = [{"product": str(lamp), "quantity": 2}]
        sent = {"items": items, "shipping_address": ADDRESS} | members
        return (client or vera.client).post(ORDERS, sent).expect(201)

    return do


def lead(staff: Any, order: Any, status: str) -> str:
    """Lead an order to a status; return its address."""
    path = f"{ORDERS}/{order['id']}"
    for action in PATHS[status]:
        sent: Any = {} if action in ("ship", "cancel") else None
        staff.client.post(f"{path}/{action}", sent).expect(200)
    return path


def held() -> tuple[int, int]:
    """What is on the shelf, and promised, of the only item there is."""
    row = Level.get()
    return row.on_hand, row.reserved


def told(order: Any) -> list[str]:
    """The names of the events of an order."""
    query = EventRow.select().where(EventRow.key == order["id"])
    return [row.name for row in query.order_by(EventRow.id)]


def test_an_order_goes_its_way_with_times_history_stock_and_one_event_each(
    vera: Any, staff: Any, place: Any
) -> None:
    order = place()
    path = f"{ORDERS}/{order['id']}"
    assert held() == (10, 2)
    for action, status, stock in (
        ("confirm", "confirmed", (8, 0)), ("process", "processing", (8, 0)),
        ("ship", "shipped", (8, 0)), ("deliver", "delivered", (8, 0)),
    ):  # fmt: skip
        sent = {"carrier": "DHL", "tracking_number": "42"} if action == "ship" else None
        # The second time nothing happens.
        for _ in range(2):
            shown = staff.client.post(f"{path}/{action}", sent).expect(200)
            assert (shown["status"], held()) == (status, stock)
        stamp = {"confirm": "confirmed_at", "process": "processing_at", "ship": "shipped_at",
                 "deliver": "delivered_at"}[action]  # fmt: skip
        assert shown[stamp] is not None
    assert (shown["carrier"], shown["tracking_number"], shown["expires_at"]) == ("DHL", "42", None)
    assert told(order) == [
        "order.placed", "order.confirmed", "order.processing_started", "order.shipped",
        "order.delivered",
    ]  # fmt: skip
    event = EventRow.get(EventRow.name == "order.shipped").data
    assert (event["tracking_number"], event["total"], event["currency"]) == ("42", "10.00", "USD")
    history = vera.client.get(f"{path}/history").expect(200)["results"]
    assert [one["status"] for one in history] == [
        "pending", "confirmed", "processing", "shipped", "delivered",
    ]  # fmt: skip
    assert [one["role"] for one in history] == ["customer", *["staff"] * 4]


def test_every_wrong_step_is_refused_and_changes_nothing(staff: Any, vera: Any, place: Any) -> None:
    for status in PATHS:
        order = place()
        path = lead(staff, order, status)
        before = Order.get_by_id(UUID(order["id"])).__data__
        for target, step in STEPS.items():
            if target == status:
                continue
            for role in ACTORS:
                if role in TABLE.get((status, target), ()):
                    continue
                found = Order.get_by_id(UUID(order["id"]))
                with pytest.raises((WrongStatus, PermissionDenied)), transaction():
                    step(found, By(role))
        assert Order.get_by_id(UUID(order["id"])).__data__ == before
        # No customer does what staff do.
        for action in ("confirm", "process", "deliver", "ship"):
            vera.client.post(f"{path}/{action}", {} if action == "ship" else None).expect(403)
        if status != "cancelled":
            staff.client.post(f"{path}/cancel", {}).expect(
                409 if status in ("shipped", "delivered") else 200
            )


def test_cancelling_gives_the_stock_back_once_whatever_became_of_it(
    vera: Any, staff: Any, place: Any
) -> None:
    for status, stock in (("pending", (10, 2)), ("confirmed", (8, 0)), ("processing", (8, 0))):
        order = place()
        path = lead(staff, order, status)
        assert held() == stock
        who = staff if status == "processing" else vera
        if status == "processing":
            vera.client.post(f"{path}/cancel", {"reason": "Mine."}).expect(403)
        for _ in range(2):
            shown = who.client.post(f"{path}/cancel", {"reason": "No."}).expect(200)
            assert (shown["status"], shown["cancel_reason"], held()) == (
                "cancelled",
                "No.",
                (10, 0),
            )
        assert told(order).count("order.cancelled") == 1
    assert sum(row.quantity for row in Movement.select()) == 10


def test_two_who_cancel_and_confirm_at_once_leave_one_outcome(
    vera: Any, staff: Any, place: Any, at_once: Any
) -> None:
    order = place()
    path = f"{ORDERS}/{order['id']}"
    at_once(
        lambda: vera.client.post(f"{path}/cancel", {}),
        lambda: staff.client.post(f"{path}/confirm"),
        lambda: vera.client.post(f"{path}/cancel", {}),
        lambda: staff.client.post(f"{path}/confirm"),
    )
    # Who confirmed first was cancelled then: nothing leads back from there.
    shown = vera.client.get(path).expect(200)
    assert (shown["status"], held()) == ("cancelled", (10, 0))
    assert told(order).count("order.cancelled") == 1


def test_if_match_keeps_who_read_an_older_order_from_changing_it(
    vera: Any, staff: Any, place: Any
) -> None:
    order = place()
    path = f"{ORDERS}/{order['id']}"
    tag = staff.client.get(path).headers["etag"]
    staff.client.post(f"{path}/confirm", headers={"If-Match": tag}).expect(200)
    staff.client.post(f"{path}/process", headers={"If-Match": tag}).expect(412)
    staff.client.patch(path, {"carrier": "DHL"}, headers={"If-Match": tag}).expect(412)
    tag = staff.client.get(path).headers["etag"]
    staff.client.patch(path, {"carrier": "DHL"}, headers={"If-Match": tag}).expect(200)


def test_orders_that_nobody_paid_for_are_cancelled_by_a_job(
    place: Any, jobs: Any, clock: Any
) -> None:
    late, paid = place(), place()
    settling.settle(UUID(paid["id"]), authorized=1000, captured=0, refunded=0)
    clock.move(minutes=61)
    jobs.run_all()
    found = {row.number: row for row in Order.select()}
    assert found[late["number"]].status == "cancelled"
    assert found[late["number"]].cancel_reason == "Nobody paid for it in time."
    assert found[paid["number"]].status == "confirmed"
    assert held() == (8, 0)
    row = History.get(History.status == "cancelled")
    assert (row.role, row.visible) == (statuses.SYSTEM, True)
