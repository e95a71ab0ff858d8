"""Returns: what was sent can be sent back, each piece once, and is restocked once."""

from typing import Any
from uuid import UUID

import pytest

from bodega.database.tables import EventRow
from bodega_inventory.models import Level
from bodega_orders.models import Line, ReturnLine

ORDERS = "/api/v1/orders"
RETURNS = f"{ORDERS}/returns"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


@pytest.fixture
def sent(vera: Any, staff: Any, goods: Any) -> Any:
    """An order of three lamps at 3.33 and a desk that was sent."""
    lamp, desk = goods.make(price=333), goods.make(price=5000)
    items = [{"product": str(lamp), "quantity": 3}, {"product": str(desk), "quantity": 1}]
    order = vera.client.post(ORDERS, {"items": items, "shipping_address": ADDRESS}).expect(201)
    for action, sent in (("confirm", None), ("process", None), ("ship", {})):
        staff.client.post(f"{ORDERS}/{order['id']}/{action}", sent).expect(200)
    order["line"] = {one["product"]: one["id"] for one in order["lines"]}
    order["lamp"], order["desk"] = order["line"][str(lamp)], order["line"][str(desk)]
    order["path"], order["stock"] = f"{ORDERS}/{order['id']}/returns", lamp
    return order


def on_hand(item: UUID) -> int:
    """What is on the shelf."""
    return int(Level.get_by_id(item).on_hand)


def ask(client: Any, order: Any, *lines: tuple[str, int], expect: int = 201) -> Any:
    """Ask to send things back."""
    wanted = [{"line": line, "quantity": quantity} for line, quantity in lines]
    return client.post(order["path"], {"lines": wanted, "reason": "Too small."}).expect(expect)


def counts(line: str) -> tuple[int, int]:
    """Pieces of a line that came back, and that shall."""
    row = Line.get_by_id(UUID(line))
    return row.returned, row.returning


def test_things_are_asked_for_approved_and_received_once(
    vera: Any, staff: Any, otto: Any, sent: Any
) -> None:
    made = ask(vera.client, sent, (sent["lamp"], 2))
    assert (made["status"], made["lines"][0]["quantity"], made["amount"]) == (
        "requested",
        2,
        "0.00",
    )
    path = f"{RETURNS}/{made['id']}"
    staff.client.post(f"{path}/receive", {}).expect(409)
    for who, status in ((vera, 403), (otto, 403)):
        who.client.post(f"{path}/approve", {}).expect(status)
    for _ in range(2):
        shown = staff.client.post(f"{path}/approve", {"answer": "Use the label."}).expect(200)
        assert (shown["status"], shown["answer"]) == ("approved", "Use the label.")
    before = on_hand(sent["stock"])
    for _ in range(2):
        shown = staff.client.post(f"{path}/receive", {}).expect(200)
        assert (shown["status"], shown["amount"], shown["currency"]) == ("received", "6.66", "USD")
    assert (on_hand(sent["stock"]), counts(sent["lamp"])) == (before + 2, (2, 0))
    staff.client.post(f"{path}/reject", {}).expect(409)
    names = [row.name for row in EventRow.select().where(EventRow.name ** "order.return%")]
    assert names == ["order.return_requested", "order.return_decided", "order.return_received"]
    event = EventRow.get(EventRow.name == "order.return_received").data
    assert (event["amount"], event["lines"][0]["quantity"]) == ("6.66", 2)
    assert vera.client.get(sent["path"]).expect(200)["results"][0]["status"] == "received"
    otto.client.get(sent["path"]).expect(404)
    assert staff.client.get(f"{RETURNS}?status=received").expect(200)["count"] == 1
    vera.client.get(RETURNS).expect(403)


def test_no_more_comes_back_than_was_ordered(vera: Any, staff: Any, sent: Any) -> None:
    ask(vera.client, sent, (sent["lamp"], 4), expect=422)
    first = ask(vera.client, sent, (sent["lamp"], 2), (sent["desk"], 1))
    found = ask(vera.client, sent, (sent["lamp"], 2), expect=422)
    assert found["errors"][0]["field"] == "lines.0.quantity"
    ask(vera.client, sent, (sent["desk"], 1), expect=422)
    ask(vera.client, sent, (sent["lamp"], 1), (sent["lamp"], 1), expect=422)
    ask(vera.client, sent, (sent["id"], 1), expect=422)
    # What is refused can be asked for again.
    staff.client.post(f"{RETURNS}/{first['id']}/reject", {"answer": "No."}).expect(200)
    again = ask(vera.client, sent, (sent["lamp"], 3))
    path = f"{RETURNS}/{again['id']}"
    staff.client.post(f"{path}/approve", {}).expect(200)
    three = {"lines": [{"line": sent["lamp"], "quantity": 4}]}
    staff.client.post(f"{path}/receive", three).expect(422)
    # Two of three came, and cannot be sold again; the third never came.
    two = {"lines": [{"line": sent["lamp"], "quantity": 2, "restock": False}]}
    before = on_hand(sent["stock"])
    shown = staff.client.post(f"{path}/receive", two).expect(200)
    assert (shown["amount"], shown["lines"][0]["received"]) == ("6.66", 2)
    assert (on_hand(sent["stock"]), counts(sent["lamp"])) == (before, (2, 0))
    last = ask(vera.client, sent, (sent["lamp"], 1))
    staff.client.post(f"{RETURNS}/{last['id']}/approve", {}).expect(200)
    done = staff.client.post(f"{RETURNS}/{last['id']}/receive", {}).expect(200)
    # All parts add up to what the line cost.
    assert done["amount"] == "3.33"


def test_many_who_ask_and_receive_at_once_take_each_piece_once(
    vera: Any, staff: Any, sent: Any, at_once: Any
) -> None:
    wanted = {"lines": [{"line": sent["lamp"], "quantity": 2}], "reason": "Too small."}
    answers = at_once(*[lambda: vera.client.post(sent["path"], wanted)] * 4)
    assert sorted(one.status_code for one in answers) == [201, 422, 422, 422]
    made = next(one for one in answers if one.status_code == 201).json
    path = f"{RETURNS}/{made['id']}"
    staff.client.post(f"{path}/approve", {}).expect(200)
    before = on_hand(sent["stock"])
    answers = at_once(*[lambda: staff.client.post(f"{path}/receive", {})] * 4)
    assert {one.status_code for one in answers} == {200}
    assert (on_hand(sent["stock"]), counts(sent["lamp"])) == (before + 2, (2, 0))
    assert ReturnLine.get().received == 2


def test_what_was_not_sent_cannot_come_back(vera: Any, goods: Any) -> None:
    lamp = goods.make()
    items = [{"product": str(lamp)}]
    order = vera.client.post(ORDERS, {"items": items, "shipping_address": ADDRESS}).expect(201)
    wanted = {"lines": [{"line": order["lines"][0]["id"], "quantity": 1}], "reason": "No."}
    found = vera.client.post(f"{ORDERS}/{order['id']}/returns", wanted).expect(409)
    assert found["type"].endswith("wrong-status")
