"""Carts: of guests and of accounts, and what is in them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bodega_accounts.accounts import delete_account
from bodega_orders import carts
from bodega_orders.cart_models import Cart, CartItem
from bodega_orders.jobs import forget_carts
from bodega_products.catalogue import delete_products
from bodega_products.models import Price, Product
from bodega_sdk import transaction, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.queries import query_counter

CARTS = "/api/v1/carts"


class Shopper:
    """A guest with a cart."""

    def __init__(self, client: Client, **members: Any) -> None:
        self.client = client
        made = client.post(CARTS, members).expect(201)
        self.id, self.token = made["id"], made["token"]
        self.path, self.headers = f"{CARTS}/{made['id']}", {"Cart-Token": made["token"]}

    def send(self, method: str, rest: str = "", json: Any = None, **more: Any) -> Any:
        """Call something below the cart's address, with its token."""
        return self.client.request(
            method, self.path + rest, json, headers=self.headers | more.pop("headers", {}), **more
        )

    def put_in(self, product: UUID, variant: UUID | None = None, quantity: int = 1) -> Any:
        """Put something in."""
        body = {"product": str(product), "quantity": quantity}
        body |= {"variant": str(variant)} if variant else {}
        return self.send("POST", "/items", body).expect(201)

    def look(self) -> Any:
        """Read it."""
        return self.send("GET").expect(200)


@pytest.fixture
def guest(client: Client) -> Shopper:
    """A guest with an empty cart."""
    return Shopper(client)


def test_a_guest_fills_changes_and_empties_their_cart(guest: Shopper, goods: Any) -> None:
    lamp, shirt = goods.make(price=1999), goods.make("S", "L", price=500)
    large = goods.forms(shirt)[1]
    guest.put_in(lamp)
    shown = guest.put_in(shirt, large, 2)
    assert [(one["quantity"], one["subtotal"]) for one in shown["items"]] == [
        (1, "19.99"), (2, "10.00")
    ]  # fmt: skip
    assert shown["items"][1]["options"] == {"Form": "L"}
    assert shown["quote"]["total"] == "29.99"
    assert guest.put_in(lamp, quantity=2)["items"][0]["quantity"] == 3
    changed = guest.send("PATCH", f"/items/{large}", {"quantity": 5}).expect(200)
    assert changed["quote"]["total"] == "84.97"
    assert len(guest.send("DELETE", f"/items/{lamp}").expect(200)["items"]) == 1
    guest.send("DELETE", f"/items/{lamp}").expect(404)
    emptied = guest.send("DELETE", "/items").expect(200)
    assert (emptied["items"], emptied["quote"]["total"]) == ([], "0.00")
    assert emptied["quote"]["problems"] == ["There is nothing to order."]
    guest.send("DELETE").expect(204)
    guest.send("GET").expect(404)


def test_a_cart_that_was_changed_since_it_was_read_is_not_written(
    guest: Shopper, goods: Any
) -> None:
    lamp = goods.make(price=1999)
    guest.put_in(lamp)
    stale = {"If-Match": guest.send("GET").headers["ETag"]}
    guest.put_in(lamp)
    body = {"product": str(lamp), "quantity": 1}
    for method, rest, sent in (
        ("PATCH", "", {"codes": []}), ("POST", "/items", body), ("DELETE", "/items", None),
        ("PATCH", f"/items/{lamp}", {"quantity": 9}), ("DELETE", f"/items/{lamp}", None),
        ("DELETE", "", None),
    ):  # fmt: skip
        problem = guest.send(method, rest, sent, headers=stale).expect(412)
        assert problem["errors"][0]["field"] == "If-Match"
    assert [one["quantity"] for one in guest.look()["items"]] == [2]
    fresh = {"If-Match": f'"of before", {guest.send("GET").headers["ETag"]}'}
    guest.send("PATCH", f"/items/{lamp}", {"quantity": 9}, headers=fresh).expect(200)
    guest.send("DELETE", headers={"If-Match": "*"}).expect(204)


def test_nobody_reaches_a_cart_without_its_token(
    guest: Shopper, client: Client, vera: Any, staff: Any
) -> None:
    other = Shopper(client)
    flipped = guest.token[:-2] + ("A" if guest.token[-2] != "A" else "B") + guest.token[-1]
    for token in ("", "x", flipped, other.token, f"{guest.id}.{'A' * 43}", "é" * 76):
        sent = {"Cart-Token": token.encode().decode("latin-1")} if token else {}
        for method, rest, body in (
            ("GET", "", None), ("PATCH", "", {"codes": []}), ("DELETE", "", None),
            ("POST", "/items", {"product": str(uuid7())}), ("DELETE", "/items", None),
            ("PATCH", f"/items/{uuid7()}", {"quantity": 1}),
        ):  # fmt: skip
            client.request(method, guest.path + rest, body, headers=sent).expect(404)
    for person in (vera, staff):
        person.client.get(guest.path).expect(404)
    mine = vera.client.get(f"{CARTS}/current").expect(200)
    for one in (client, staff.client):
        one.get(f"{CARTS}/{mine['id']}", headers=guest.headers).expect(404)
    assert mine["token"] is None
    assert client.get(f"{CARTS}/current", headers=guest.headers).expect(200)["id"] == guest.id
    client.get(f"{CARTS}/current").expect(400)
    guest.send("DELETE").expect(204)
    client.get(f"{CARTS}/current", headers=guest.headers).expect(404)


def test_an_account_has_one_open_cart_also_when_two_tabs_ask_at_once(
    vera: Any, at_once: Any
) -> None:
    asked = [lambda: vera.client.get(f"{CARTS}/current").expect(200)["id"]] * 4
    asked += [lambda: vera.client.post(CARTS, {"currency": "EUR"}).json["id"]] * 4
    assert len(set(at_once(*asked))) == 1
    assert Cart.select().count() == 1
    again = vera.client.post(CARTS, {"codes": ["x", " X ", ""]}).expect(200)
    assert (again["currency"], again["codes"]) == ("EUR", ["X"])
    with transaction():
        carts.close(carts.hold(UUID(again["id"])), uuid7())
    assert vera.client.get(f"{CARTS}/current").expect(200)["id"] != again["id"]


def test_a_cart_that_has_been_ordered_can_be_looked_at_and_not_changed(
    guest: Shopper, goods: Any
) -> None:
    lamp = goods.make()
    guest.put_in(lamp)
    with transaction():
        carts.close(carts.hold(UUID(guest.id)), uuid7())
    assert guest.look()["status"] == "ordered"
    for method, rest, body in (
        ("POST", "/items", {"product": str(lamp)}), ("PATCH", f"/items/{lamp}", {"quantity": 2}),
        ("DELETE", f"/items/{lamp}", None), ("DELETE", "/items", None), ("DELETE", "", None),
        ("PATCH", "", {"codes": ["X"]}),
    ):  # fmt: skip
        assert "ordered" in guest.send(method, rest, body).expect(409)["detail"]


def test_what_cannot_be_bought_is_refused_naming_the_field(guest: Shopper, goods: Any) -> None:
    shirt, lamp, off = goods.make("S"), goods.make(), goods.make(is_active=False)
    (small,) = goods.forms(shirt)
    gone = goods.make()
    with transaction():
        delete_products([Product.get_by_id(gone)])
    for body, field, told in (
        ({}, "product", "Name a product"),
        ({"product": str(uuid7())}, "product", "no product"),
        ({"product": str(gone)}, "product", "no product"),
        ({"product": str(off)}, "product", "not for sale"),
        ({"product": str(shirt)}, "variant", "name one of them"),
        ({"variant": str(uuid7())}, "variant", "no variant"),
        ({"product": str(lamp), "variant": str(small)}, "variant", "no variant"),
        ({"product": str(lamp), "quantity": 0}, "quantity", "greater than or equal to 1"),
        ({"product": str(lamp), "quantity": 1_000_001}, "quantity", "less than or equal"),
        ({"product": str(lamp), "quantity": True}, "quantity", "integer"),
        ({"product": str(lamp), "unit_price": "0.01"}, "unit_price", ""),
    ):
        (wrong,) = guest.send("POST", "/items", body).expect(422)["errors"]
        assert (wrong["field"], told in wrong["message"]) == (field, True), wrong
    assert CartItem.select().count() == 0
    assert guest.send("POST", "/items", {"variant": str(small)}).expect(201)["items"]


def test_bounds_of_quantities_lines_and_codes_hold(guest: Shopper, goods: Any, set_to: Any) -> None:
    set_to("cart_lines", 2)
    first, second, third = goods.make(), goods.make(), goods.make()
    guest.put_in(first, quantity=1_000_000)
    more = guest.send("POST", "/items", {"product": str(first)}).expect(422)
    assert more["errors"][0]["field"] == "quantity"
    guest.put_in(second)
    many = guest.send("POST", "/items", {"product": str(third)}).expect(422)
    assert "At most 2" in many["detail"] or "At most 2" in many["errors"][0]["message"]
    guest.send("PATCH", "", {"codes": [f"C{n}" for n in range(21)]}).expect(422)
    guest.send("PATCH", "", {}).expect(400)


def test_each_look_shows_prices_and_stock_of_now(guest: Shopper, goods: Any) -> None:
    lamp, rare, off = goods.make(), goods.make(stock=2), goods.make()
    guest.put_in(lamp)
    guest.put_in(rare, quantity=3)
    guest.put_in(off)
    Product.update(price_minor=1200).where(Product.id == lamp).execute()
    Product.update(is_active=False).where(Product.id == off).execute()
    shown = guest.look()
    by = {one["product"]: one for one in shown["items"]}
    now = by[str(lamp)]
    assert (now["unit_price"], now["former_price"], now["message"]) == ("12.00", "10.00", "")
    few = by[str(rare)]
    assert (few["available"], few["in_stock"]) == (True, False)
    assert few["message"].startswith("Only 2 of")
    sold_no_more = by[str(off)]
    assert (sold_no_more["available"], sold_no_more["total"]) == (False, None)
    assert "not for sale" in sold_no_more["message"]
    assert shown["quote"]["total"] == "42.00"
    assert [problem for problem in shown["quote"]["problems"] if "nothing" in problem] == []
    assert len(shown["quote"]["problems"]) == 2


def test_a_cart_in_another_currency_has_the_prices_of_that_currency(
    guest: Shopper, goods: Any
) -> None:
    lamp, shirt, cable = goods.make(), goods.make("S", price=700), goods.make()
    (small,) = goods.forms(shirt)
    guest.put_in(lamp)
    guest.put_in(shirt, small)
    guest.put_in(cable)
    Price.create(product=lamp, currency="JPY", price_minor=1500)
    shown = guest.send("PATCH", "", {"currency": "JPY"}).expect(200)
    prices = {one["product"]: one["unit_price"] for one in shown["items"]}
    assert prices == {str(lamp): "1500", str(shirt): None, str(cable): None}
    assert (shown["quote"]["total"], shown["quote"]["currency"]) == ("1500", "JPY")
    assert "no price in JPY" in shown["items"][2]["message"]
    refused = guest.send("POST", "/items", {"product": str(goods.make())}).expect(422)
    assert refused["errors"][0]["field"] == "currency"
    guest.send("PATCH", "", {"currency": "jpy"}).expect(422)


def test_looking_at_a_cart_takes_as_many_queries_however_much_is_in_it(
    guest: Shopper, goods: Any
) -> None:
    counts = []
    for number in (1, 9):
        for _ in range(number):
            shirt = goods.make("S", "L")
            guest.put_in(shirt, goods.forms(shirt)[0])
            guest.put_in(goods.make())
        with query_counter() as counter:
            guest.look()
        counts.append(len(counter))
    assert counts[0] == counts[1]
    assert counts[1] < 12


def test_what_is_added_again_with_the_same_key_is_added_once(guest: Shopper, goods: Any) -> None:
    body = {"product": str(goods.make()), "quantity": 2}
    key = {"Idempotency-Key": str(uuid7())}
    for _ in range(3):
        shown = guest.send("POST", "/items", body, headers=key).expect(201)
    assert shown["items"][0]["quantity"] == guest.look()["items"][0]["quantity"] == 2


def test_tabs_that_change_one_cart_at_once_lose_nothing(
    vera: Any, goods: Any, at_once: Any
) -> None:
    lamp, cable = goods.make(), goods.make()
    path = f"{CARTS}/{vera.client.get(f'{CARTS}/current').expect(200)['id']}/items"

    def add(product: UUID) -> Any:
        return lambda: vera.client.post(path, {"product": str(product)}).expect(201)

    at_once(*[add(lamp)] * 5, *[add(cable)] * 3)
    shown = vera.client.get(f"{CARTS}/current").expect(200)
    assert {one["product"]: one["quantity"] for one in shown["items"]} == {
        str(lamp): 5, str(cable): 3
    }  # fmt: skip
    with transaction():
        delete_account(vera.account)
    assert Cart.select().count() == 0


def test_a_price_that_an_addon_cannot_mean_is_no_price(
    guest: Shopper, goods: Any, addon: Any, shop: Any
) -> None:
    lamp = goods.make()
    guest.put_in(lamp)
    addon(
        "nonsense",
        "@hookimpl(tryfirst=True)\ndef quote_price(quantity):\n"
        "    return Money(5, 'EUR') if quantity == 1 else Money(-5, 'USD')\n",
    )
    with bound(shop.current):
        for quantity in (1, 2):
            failed = guest.send(
                "POST", "/items", {"product": str(goods.make()), "quantity": quantity}
            ).expect(503)
            assert failed["hook"] == "quote_price"
        guest.send("GET").expect(503)


def test_carts_that_nobody_touches_are_forgotten(
    client: Client, vera: Any, goods: Any, clock: Any, jobs: Any
) -> None:
    old = Shopper(client)
    vera.client.get(f"{CARTS}/current").expect(200)
    old.put_in(goods.make())
    clock.move(timedelta(days=29))
    kept = Shopper(client)
    clock.move(timedelta(days=2))
    with transaction():
        forget_carts.enqueue()
    jobs.run_all()
    kept.look()
    assert Cart.select().count() == 1
    assert CartItem.select().count() == 0
    old.send("GET").expect(404)
