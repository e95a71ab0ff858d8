"""Checkout: from a cart or from things, for accounts and guests, all of it or nothing."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from bodega.database.tables import EventRow
from bodega_inventory.models import Level, Reservation
from bodega_orders import tokens
from bodega_orders.cart_models import Cart, CartItem
from bodega_orders.models import History, Line, Order
from bodega_orders.placing import number_of
from bodega_sdk import now, transaction, uuid7
from bodega_sdk.testing.queries import query_counter

ORDERS = "/api/v1/orders"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


def body(*things: Any, **members: Any) -> dict[str, Any]:
    """What is sent to order things: ``(product, quantity)`` or ``(product, quantity, variant)``."""
    items = [
        {"product": str(one[0]), "quantity": one[1], "variant": str(one[2]) if one[2:] else None}
        for one in things
    ]
    return {"items": items, "shipping_address": ADDRESS} | members


def level(item: UUID) -> tuple[int, int]:
    """What is on the shelf of an item, and what of it is promised."""
    row = Level.get_by_id(item)
    return row.on_hand, row.reserved


def told(order: str) -> list[str]:
    """The names of the events of an order."""
    rows = EventRow.select().where(EventRow.key == order, EventRow.name.startswith("order."))
    return [row.name for row in rows.order_by(EventRow.id)]


def nothing_is_left() -> bool:
    """Whether no order and no reservation is there."""
    tables = (Order, Line, History, Reservation)
    return not any(table.select().exists() for table in tables)


def a_cart(account: str | None, *things: tuple[UUID, int], **members: Any) -> Cart:
    """A cart with things in it."""
    cart: Cart = Cart.create(account=account, open_of=account, currency="USD", **members)
    for product, quantity in things:
        CartItem.create(cart=cart.id, item=product, product=product, quantity=quantity)
    return cart


def test_an_account_orders_things_and_their_stock_is_kept_for_them(
    vera: Any, otto: Any, goods: Any
) -> None:
    shirt = goods.make("S", "L", price=1999)
    (_, large), lamp = goods.forms(shirt), goods.make(price=500)
    sent = body((lamp, 2), (shirt, 1, large), (lamp, 1), note="Ring twice.")
    made = vera.client.post(ORDERS, sent).expect(201)
    assert (made["status"], made["payment_status"]) == ("pending", "unpaid")
    assert (made["subtotal"], made["total"], made["currency"]) == ("34.99", "34.99", "USD")
    assert (made["account"], made["email"]) == (vera.id, "vera@shop.example")
    # Two lines of one thing are one.
    lines = {one["product"]: one for one in made["lines"]}
    assert (lines[str(lamp)]["quantity"], lines[str(lamp)]["total"]) == (3, "15.00")
    assert lines[str(shirt)]["options"] == {"Form": "L"}
    assert sum(int(one["amount"].replace(".", "")) for one in made["entries"]) == 3499
    assert (level(lamp), level(large)) == ((10, 3), (10, 1))
    assert Reservation.get(Reservation.item == lamp).reference == f"order:{made['id']}"
    assert told(made["id"]) == ["order.placed"]
    assert made["shipping_address"]["city"] == made["billing_address"]["city"] == "London"
    # It is seen by its id and its number, by who placed it and nobody else.
    for key in (made["id"], made["number"]):
        assert vera.client.get(f"{ORDERS}/{key}").expect(200)["note"] == "Ring twice."
        otto.client.get(f"{ORDERS}/{key}").expect(404)
    assert "staff_note" not in made


def test_a_guest_orders_with_an_address_and_reaches_the_order_by_its_token(
    client: Any, goods: Any
) -> None:
    lamp = goods.make(price=500)
    client.post(ORDERS, body((lamp, 1))).expect(422)
    reply = client.post(ORDERS, body((lamp, 1), email="Eve@Shop.example"))
    answer, token = reply.expect(201), reply.headers["order-token"]
    assert (answer["account"], answer["email"]) == (None, "eve@shop.example")
    path = f"{ORDERS}/{answer['id']}"
    client.get(path).expect(404)
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), tokens.order_token(uuid7()),
                  tokens.cart_token(UUID(answer["id"])), "x"):  # fmt: skip
        client.get(path, headers={"Order-Token": wrong}).expect(404)
    guest = {"Order-Token": token}
    assert client.get(path, headers=guest).expect(200)["number"] == answer["number"]
    assert client.get(f"{path}/history", headers=guest).expect(200)["count"] == 1
    done = client.post(f"{path}/cancel", {"reason": "Too dear."}, headers=guest).expect(200)
    assert (done["status"], done["cancel_reason"]) == ("cancelled", "Too dear.")
    assert level(lamp) == (10, 0)


def test_a_cart_becomes_one_order_and_no_second(vera: Any, otto: Any, goods: Any) -> None:
    lamp = goods.make(price=500)
    cart = a_cart(vera.id, (lamp, 2))
    sent = {"cart": str(cart.id), "shipping_address": ADDRESS}
    otto.client.post(ORDERS, sent).expect(404)
    made = vera.client.post(ORDERS, sent).expect(201)
    closed = Cart.get_by_id(cart.id)
    assert (closed.status, str(closed.order), closed.open_of) == ("ordered", made["id"], None)
    again = vera.client.post(ORDERS, sent).expect(409)
    assert again["type"].endswith("already-ordered")
    assert (again["order"], again["number"]) == (made["id"], made["number"])
    assert Order.select().count() == 1


def test_a_guests_cart_is_ordered_with_its_token_and_its_address(client: Any, goods: Any) -> None:
    lamp = goods.make()
    cart = a_cart(None, (lamp, 1), email="eve@shop.example")
    sent = {"cart": str(cart.id), "shipping_address": ADDRESS}
    client.post(ORDERS, sent | {"email": "eve@shop.example"}).expect(404)
    token = {"Cart-Token": tokens.cart_token(cart.id)}
    assert client.post(ORDERS, sent, headers=token).expect(201)["email"] == "eve@shop.example"


def test_what_is_short_is_named_and_nothing_is_left(vera: Any, goods: Any) -> None:
    lamp, desk, chair = goods.make(stock=1), goods.make(stock=0), goods.make()
    found = vera.client.post(ORDERS, body((chair, 1), (lamp, 2), (desk, 1))).expect(409)
    assert found["type"].endswith("out-of-stock")
    assert {one["product"]: one["available"] for one in found["short"]} == {
        str(lamp): 1, str(desk): 0,
    }  # fmt: skip
    assert {one["field"] for one in found["errors"]} == {"items.1.quantity", "items.2.quantity"}
    assert nothing_is_left()
    assert level(chair) == (10, 0)
    # Two lines of one thing are too many together, too.
    vera.client.post(ORDERS, body((lamp, 1), (lamp, 1))).expect(409)
    assert nothing_is_left()


def test_another_total_than_the_customer_saw_is_refused_with_the_new_one(
    vera: Any, goods: Any
) -> None:
    lamp = goods.make(price=500)
    found = vera.client.post(ORDERS, body((lamp, 2), expected_total="9.00")).expect(409)
    assert found["type"].endswith("totals-changed")
    assert found["quote"]["total"] == "10.00"
    assert nothing_is_left()
    vera.client.post(ORDERS, body((lamp, 2), expected_total="9.999")).expect(422)
    vera.client.post(ORDERS, body((lamp, 2), expected_total="10")).expect(201)


def test_what_costs_nothing_is_confirmed_at_once(vera: Any, goods: Any) -> None:
    gift = goods.make(price=0)
    made = vera.client.post(ORDERS, body((gift, 1))).expect(201)
    assert (made["status"], made["payment_status"]) == ("confirmed", "paid")
    assert level(gift) == (9, 0)
    assert told(made["id"]) == ["order.placed", "order.confirmed", "order.paid"]
    history = vera.client.get(f"{ORDERS}/{made['id']}/history").expect(200)["results"]
    assert [one["status"] for one in history] == ["pending", "confirmed"]


def test_an_order_is_sent_to_an_address_of_ones_own_book_only(
    vera: Any, otto: Any, goods: Any
) -> None:
    lamp, song = goods.make(), goods.make(is_digital=True)
    book = "/api/v1/addresses"
    mine = vera.client.post(book, ADDRESS | {"city": "Paris", "country": "FR"}).expect(201)["id"]
    theirs = otto.client.post(book, ADDRESS).expect(201)["id"]
    sent = {"items": body((lamp, 1))["items"]}
    made = vera.client.post(ORDERS, sent | {"shipping_address_id": mine}).expect(201)
    assert made["shipping_address"]["city"] == "Paris"
    found = vera.client.post(ORDERS, sent | {"shipping_address_id": theirs}).expect(422)
    assert found["errors"][0]["field"] == "shipping_address_id"
    assert vera.client.post(ORDERS, sent).expect(422)["errors"][0]["field"] == "shipping_address"
    both = {"shipping_address": ADDRESS, "shipping_address_id": mine}
    vera.client.post(ORDERS, sent | both).expect(422)
    # What is digital goes nowhere.
    assert vera.client.post(ORDERS, {"items": body((song, 1))["items"]}).expect(201)


def test_nobody_says_what_they_pay_or_how_their_order_stands(vera: Any, goods: Any) -> None:
    lamp = goods.make()
    for name, value in {
        "total": "0.01", "status": "confirmed", "payment_status": "paid", "account": vera.id,
        "number": "1", "captured": "10.00", "staff_note": "x", "discount": "9.00",
    }.items():  # fmt: skip
        found = vera.client.post(ORDERS, body((lamp, 1)) | {name: value}).expect(422)
        assert found["errors"][0]["field"] == name
    priced = body((lamp, 1))
    priced["items"][0]["unit_price"] = "0.01"
    vera.client.post(ORDERS, priced).expect(422)
    vera.client.post(ORDERS, body((lamp, 1), email="otto@shop.example")).expect(422)
    wrong: Any
    for wrong in ({}, {"items": []}, {"cart": str(uuid4()), "items": body((lamp, 1))["items"]}):
        vera.client.post(ORDERS, wrong | {"shipping_address": ADDRESS}).expect(422)
    assert nothing_is_left()


def test_the_same_request_sent_again_is_the_same_order(
    client: Any, goods: Any, at_once: Callable[..., Any]
) -> None:
    lamp = goods.make()
    sent, key = body((lamp, 1), email="eve@shop.example"), {"Idempotency-Key": str(uuid4())}
    answers = at_once(*(lambda: client.post(ORDERS, sent, headers=key) for _ in range(4)))
    made = [one for one in answers if one.status_code == 201]
    assert len({one.json["id"] for one in made}) == 1
    assert {one.status_code for one in answers} <= {201, 409}
    again = client.post(ORDERS, sent, headers=key)
    assert again.expect(201)["id"] == made[0].json["id"]
    assert again.headers["order-token"] == made[0].headers["order-token"]
    client.post(ORDERS, body((lamp, 2), email="eve@shop.example"), headers=key).expect(422)
    assert (Order.select().count(), level(lamp)) == (1, (10, 1))


def test_checkout_costs_few_statements_however_much_is_bought(vera: Any, goods: Any) -> None:
    things = [(goods.make(), 1) for _ in range(11)]
    vera.client.post(ORDERS, body(*things)).expect(201)
    counts = []
    for some in (things[:2], things):
        with query_counter() as queries:
            vera.client.post(ORDERS, body(*some)).expect(201)
        # Each item whose stock moves is an event of its own, of two statements at most.
        counts.append(len([one for one in queries if "bodega_event" not in one
                           and "bodega_counter" not in one]))  # fmt: skip
    assert counts[0] == counts[1] <= 20, queries


def test_numbers_say_the_day_and_nothing_of_how_many_there_are() -> None:
    at = now()
    found = {number_of(at) for _ in range(200)}
    assert len(found) == 200
    assert all(one.startswith(f"{at:%y%m%d}-") and len(one) == 13 for one in found)


def test_a_number_that_is_taken_is_not_given_twice(
    vera: Any, goods: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp = goods.make()
    numbers = iter(["261122-AAAAAA", "261122-AAAAAA", "261122-BBBBBB"])
    monkeypatch.setattr("bodega_orders.placing.number_of", lambda at: next(numbers))
    made = [vera.client.post(ORDERS, body((lamp, 1))).expect(201)["number"] for _ in range(2)]
    assert made == ["261122-AAAAAA", "261122-BBBBBB"]


def test_a_product_of_an_open_order_is_not_deleted(vera: Any, admin: Any, goods: Any) -> None:
    lamp = goods.make()
    made = vera.client.post(ORDERS, body((lamp, 1))).expect(201)
    path = f"/api/v1/products/{lamp}"
    admin.delete(path).expect(409)
    vera.client.post(f"{ORDERS}/{made['id']}/cancel", {}).expect(200)
    admin.delete(path).expect(204)
    assert vera.client.get(f"{ORDERS}/{made['id']}").expect(200)["lines"][0]["sku"] == "P-1"
    with transaction():
        assert Order.find(UUID(made["id"]), lock=True) is not None


def test_guests_need_keys_that_nobody_else_makes_up(client: Any, goods: Any) -> None:
    sent = body((goods.make(), 1), email="eve@shop.example")
    refused = client.post(ORDERS, sent, headers={"Idempotency-Key": "1"})
    assert refused.expect(400)["errors"][0]["field"] == "Idempotency-Key"
    assert "16 to 255" in refused.json["detail"]
