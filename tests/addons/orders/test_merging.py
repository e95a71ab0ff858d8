"""A guest's cart is taken over at login: once, and never beyond what can be had."""

from typing import Any
from uuid import UUID

import pytest

from bodega_inventory import api as inventory
from bodega_orders import carts
from bodega_orders.cart_models import Cart, CartItem
from bodega_products.models import Product
from bodega_sdk import transaction, uuid7
from bodega_sdk.testing.client import Client

CARTS = "/api/v1/carts"


class Two:
    """An account with a cart, and the cart of the guest that it was."""

    def __init__(self, person: Any, client: Client) -> None:
        self.client = person.client
        self.own = self.client.get(f"{CARTS}/current").expect(200)["id"]
        made = client.post(CARTS, {}).expect(201)
        self.guest, self.headers = made["id"], {"Cart-Token": made["token"]}
        self._guest_client = client

    def mine(self, product: UUID, quantity: int, variant: UUID | None = None) -> None:
        """Put something into the account's cart."""
        self.client.post(f"{CARTS}/{self.own}/items", _body(product, quantity, variant)).expect(201)

    def theirs(self, product: UUID, quantity: int, variant: UUID | None = None) -> None:
        """Put something into the guest's."""
        self._guest_client.post(
            f"{CARTS}/{self.guest}/items", _body(product, quantity, variant), headers=self.headers
        ).expect(201)

    def change(self, **members: Any) -> None:
        """Change the guest's cart."""
        path = f"{CARTS}/{self.guest}"
        self._guest_client.patch(path, members, headers=self.headers).expect(200)

    def log_in(self) -> Any:
        """Do what a shop does when somebody has logged in."""
        return self.client.get(f"{CARTS}/current", headers=self.headers).expect(200)

    def merge(self, strategy: str, status: int = 200) -> Any:
        """Merge."""
        path, body = f"{CARTS}/{self.own}/merge", {"strategy": strategy}
        return self.client.post(path, body, headers=self.headers).expect(status)


def _body(product: UUID, quantity: int, variant: UUID | None) -> dict[str, Any]:
    body = {"product": str(product), "quantity": quantity}
    return body | ({"variant": str(variant)} if variant else {})


def quantities(shown: Any) -> list[int]:
    """What a cart holds of each thing."""
    return [one["quantity"] for one in shown["items"]]


@pytest.fixture
def two(vera: Any, client: Client) -> Two:
    """Vera's cart, and the one that she had as a guest."""
    return Two(vera, client)


def test_logging_in_takes_the_guests_cart_over_once(
    two: Two, goods: Any, client: Client, otto: Any
) -> None:
    lamp, shirt = goods.make(), goods.make("S", "L")
    small, large = goods.forms(shirt)
    two.mine(lamp, 1)
    two.mine(shirt, 1, small)
    two.theirs(lamp, 2)
    two.theirs(shirt, 3, large)
    two.change(
        codes=["spring"], destination={"country": "DE", "region": "Berlin"}, shipping_method="x"
    )
    shown = two.log_in()
    assert (shown["id"], quantities(shown)) == (two.own, [3, 1, 3])
    assert shown["merged"] == {"strategy": "sum", "taken": 2, "capped": []}
    assert (shown["codes"], shown["shipping_method"]) == (["SPRING"], "x")
    assert shown["destination"]["region"] == "Berlin"
    again = two.log_in()
    assert (quantities(again), again["merged"]) == ([3, 1, 3], None)
    assert two.merge("sum")["merged"]["taken"] == 0
    assert quantities(two.log_in()) == [3, 1, 3]
    theirs = client.get(f"{CARTS}/{two.guest}", headers=two.headers).expect(200)
    assert (theirs["status"], theirs["items"]) == ("merged", [])
    body = _body(lamp, 1, None)
    client.post(f"{CARTS}/{two.guest}/items", body, headers=two.headers).expect(409)
    others = otto.client.get(f"{CARTS}/current", headers=two.headers).expect(200)
    assert (others["items"], others["merged"]) == ([], None)
    otto.client.post(f"{CARTS}/{others['id']}/merge", {}, headers=two.headers).expect(409)


def test_a_strategy_says_what_becomes_of_what_is_in_both(
    client: Client, person: Any, goods: Any
) -> None:
    shared, mine, theirs = goods.make(), goods.make(), goods.make()
    for strategy, both in (("sum", [5, 1, 4]), ("max", [3, 1, 4]), ("keep", [2, 1, 4])):
        two = Two(person(strategy), client)
        two.mine(shared, 2)
        two.mine(mine, 1)
        two.theirs(shared, 3)
        two.theirs(theirs, 4)
        shown = two.merge(strategy)
        assert quantities(shown) == both
        assert (shown["merged"]["strategy"], shown["merged"]["taken"]) == (strategy, 2)


def test_merging_never_takes_more_than_can_be_had_and_says_so(
    two: Two, goods: Any, set_to: Any
) -> None:
    few, none, mine_alone, off, beyond = (
        goods.make(stock=4), goods.make(), goods.make(stock=1), goods.make(), goods.make(),
    )  # fmt: skip
    two.mine(few, 3)
    two.mine(none, 1)
    two.mine(mine_alone, 2)
    for product in (few, none, off, beyond):
        two.theirs(product, 3)
    inventory.sell([inventory.Item(none, None, 10)])
    Product.update(is_active=False).where(Product.id == off).execute()
    set_to("cart_lines", 3)
    shown = two.log_in()
    held = {one["product"]: one["quantity"] for one in shown["items"]}
    assert held == {str(few): 4, str(none): 1, str(mine_alone): 2}
    told = {one["product"]: one for one in shown["merged"]["capped"]}
    assert (told[str(few)]["wanted"], told[str(few)]["quantity"]) == (6, 4)
    assert told[str(few)]["message"].startswith("Only 4 of")
    assert "out of stock" in told[str(none)]["message"]
    assert (told[str(off)]["quantity"], told[str(beyond)]["quantity"]) == (0, 0)
    assert "not for sale" in told[str(off)]["message"]
    assert "at most 3" in told[str(beyond)]["message"]
    assert shown["merged"]["taken"] == 2


def test_what_an_account_says_itself_stays(two: Two, goods: Any, client: Client, otto: Any) -> None:
    path = f"{CARTS}/{two.own}"
    two.mine(goods.make(), 1)
    mine = {"codes": ["a", "b"], "destination": {"country": "FR"}, "shipping_method": "mine"}
    two.client.patch(path, mine).expect(200)
    two.change(
        codes=["B", "c"], destination={"country": "DE", "region": "Berlin"}, currency="EUR",
        shipping_method="theirs",
    )  # fmt: skip
    shown = two.log_in()
    assert (shown["codes"], shown["currency"]) == (["A", "B", "C"], "USD")
    assert (shown["shipping_method"], shown["destination"]["country"]) == ("mine", "FR")
    assert shown["destination"]["region"] == ""
    empty = Two(otto, client)
    empty.change(currency="EUR")
    assert empty.log_in()["currency"] == "EUR"


def test_an_ordered_cart_is_not_taken_over(two: Two, goods: Any, client: Client) -> None:
    two.theirs(goods.make(), 1)
    with transaction():
        carts.close(carts.hold(UUID(two.guest)), uuid7())
    shown = two.log_in()
    assert (shown["items"], shown["merged"]) == ([], None)
    assert "ordered" in two.merge("sum", 409)["detail"]
    with transaction():
        carts.close(carts.hold(UUID(two.own)), uuid7())
    other = client.post(CARTS, {}).expect(201)
    two.headers = {"Cart-Token": other["token"]}
    two.merge("sum", 409)


def test_merging_asks_for_both_carts(two: Two, vera: Any, otto: Any, client: Client) -> None:
    path = f"{CARTS}/{two.own}/merge"
    vera.client.post(path, {}).expect(400)
    vera.client.post(path, {}, headers={"Cart-Token": "x" * 76}).expect(400)
    otto.client.post(path, {}, headers=two.headers).expect(404)
    client.post(path, {}, headers=two.headers).expect(401)
    vera.client.post(f"{CARTS}/{two.guest}/merge", {}, headers=two.headers).expect(400)
    vera.client.post(path, {"strategy": "all"}, headers=two.headers).expect(422)
    client.delete(f"{CARTS}/{two.guest}", headers=two.headers).expect(204)
    vera.client.post(path, {}, headers=two.headers).expect(422)


def test_two_tabs_that_log_in_at_once_merge_once(
    client: Client, person: Any, goods: Any, at_once: Any
) -> None:
    lamp, cable = goods.make(stock=50), goods.make(stock=50)
    for number in range(3):
        two = Two(person(f"tab{number}"), client)
        two.mine(lamp, 1)
        two.theirs(lamp, 2)
        two.theirs(cable, 3)
        shown = at_once(*[two.log_in] * 4, *[lambda two=two: two.merge("sum")] * 4)
        assert sum(bool(one["merged"] and one["merged"]["taken"]) for one in shown) == 1, shown
        assert quantities(two.log_in()) == [3, 3]
    assert Cart.select().where(Cart.status == "merged").count() == 3
    assert CartItem.select().count() == 6


def test_two_people_with_one_token_cannot_both_take_the_cart_over(
    client: Client, vera: Any, otto: Any, goods: Any, at_once: Any
) -> None:
    one, other = Two(vera, client), Two(otto, client)
    one.theirs(goods.make(), 2)
    other.headers = one.headers
    at_once(*[one.log_in] * 3, *[other.log_in] * 3)
    held = [quantities(who.client.get(f"{CARTS}/current").expect(200)) for who in (vera, otto)]
    assert sorted(held) == [[], [2]]
