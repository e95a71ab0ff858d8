"""Lists of one's own: the default one, how many there may be, and what is on them."""

from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import EventRow
from bodega_accounts.accounts import delete_account
from bodega_sdk import transaction, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.queries import query_counter
from bodega_wishlists import api
from bodega_wishlists.models import Item, Wisher, Wishlist

LISTS = "/api/v1/wishlists"


def test_the_default_list_is_made_when_something_is_wished_for_first(vera: Any, lamp: str) -> None:
    assert vera.lists == []
    item = vera.wish(product=lamp, note="For the hall")
    assert (item["name"], item["price"], item["available"]) == ("Lamp", "9.99", True)
    [made] = vera.lists
    assert (made["name"], made["is_default"], made["items"]) == ("Wishlist", True, 1)
    assert (item["wishlist"], made["link"]) == (made["id"], None)
    links = vera.client.get("/api/v1/auth/me").expect(200)["links"]
    assert links["wishlists"] == LISTS


def test_eight_first_wishes_at_once_make_one_default_list(
    vera: Any, make_product: Any, at_once: Any
) -> None:
    products = [make_product(str(number)) for number in range(8)]
    at_once(*[lambda key=key: vera.wish(product=key) for key in products])
    [made] = vera.lists
    assert (made["is_default"], made["items"]) == (True, 8)


def test_the_first_list_is_the_default_until_another_one_is(vera: Any, lamp: str) -> None:
    first = vera.client.post(LISTS, {"name": "Home"}).expect(201)
    second = vera.client.post(LISTS, {"name": "Birthday"}).expect(201)
    assert (first["is_default"], second["is_default"]) == (True, False)
    changed = vera.client.patch(f"{LISTS}/{second['id']}", {"is_default": True}).expect(200)
    assert changed["is_default"] is True
    assert [item["is_default"] for item in vera.lists] == [False, True]
    assert vera.wish(product=lamp)["wishlist"] == second["id"]
    refused = vera.client.patch(f"{LISTS}/{second['id']}", {"is_default": False}).expect(422)
    assert refused["errors"][0]["field"] == "is_default"


def test_whoever_deletes_the_default_list_has_the_oldest_of_the_others_for_it(
    vera: Any, lamp: str
) -> None:
    ids = [vera.client.post(LISTS, {"name": name}).expect(201)["id"] for name in "ABC"]
    vera.wish(product=lamp)
    vera.client.delete(f"{LISTS}/{ids[0]}").expect(204)
    assert [(item["name"], item["is_default"]) for item in vera.lists] == [
        ("B", True),
        ("C", False),
    ]
    assert Item.select().count() == 0
    for key in ids[1:]:
        vera.client.delete(f"{LISTS}/{key}").expect(204)
    assert vera.wish(product=lamp)["wishlist"] == vera.lists[0]["id"]


def test_there_is_one_default_whatever_eight_threads_do(vera: Any, at_once: Any) -> None:
    ids = [vera.client.post(LISTS, {"name": name}).expect(201)["id"] for name in "ABCDEFGH"]

    def turn(key: str) -> None:
        for _ in range(4):
            vera.client.patch(f"{LISTS}/{key}", {"is_default": True}).expect(200)

    at_once(*[lambda key=key: turn(key) for key in ids])
    assert sum(item["is_default"] for item in vera.lists) == 1
    at_once(*[lambda key=key: vera.client.delete(f"{LISTS}/{key}") for key in ids[:6]])
    assert sum(item["is_default"] for item in vera.lists) == 1


def test_nobody_has_more_lists_than_may_be_however_many_are_made_at_once(
    vera: Any, otto: Any, set_to: Any, at_once: Any
) -> None:
    set_to("lists_per_account", 3)
    answers = at_once(*[lambda: vera.client.post(LISTS, {"name": "x"})] * 8)
    assert sorted(item.status_code for item in answers) == [201] * 3 + [409] * 5
    assert len(vera.lists) == 3
    otto.client.post(LISTS, {"name": "x"}).expect(201)


def test_no_list_holds_more_than_may_be_however_much_is_added_at_once(
    vera: Any, make_product: Any, set_to: Any, at_once: Any
) -> None:
    set_to("items_per_list", 3)
    products = [make_product(str(number)) for number in range(8)]
    path = f"{LISTS}/items"
    answers = at_once(
        *[lambda key=key: vera.client.post(path, {"product": key}) for key in products]
    )
    assert sorted(item.status_code for item in answers) == [201] * 3 + [409] * 5
    assert vera.lists[0]["items"] == 3


def test_a_list_has_everything_once(vera: Any, lamp: str, make_variant: Any, at_once: Any) -> None:
    large = make_variant(lamp, Size="L")
    first = vera.wish(product=lamp)
    again = vera.client.post(f"{LISTS}/items", {"product": lamp}).expect(409)
    assert (again["item"], again["errors"][0]["field"]) == (first["id"], "product")
    variant = vera.wish(variant=large)
    assert (variant["product"], variant["options"]) == (lamp, {"Size": "L"})
    body = {"product": lamp, "variant": make_variant(lamp, Size="S")}
    answers = at_once(*[lambda: vera.client.post(f"{LISTS}/items", body)] * 8)
    assert sorted(item.status_code for item in answers) == [201] + [409] * 7
    assert Item.select().count() == 3


def test_what_is_not_in_the_catalogue_cannot_be_wished_for(
    vera: Any, lamp: str, make_product: Any, make_variant: Any
) -> None:
    of_chair = make_variant(make_product("Chair"), Size="L")
    hidden = make_product("Hidden", is_active=False)
    for body, name in (
        ({}, "product"),
        ({"product": str(uuid7())}, "product"),
        ({"product": hidden}, "product"),
        ({"variant": str(uuid7())}, "variant"),
        ({"product": lamp, "variant": of_chair}, "variant"),
        ({"product": lamp, "wishlist": str(uuid7())}, "wishlist"),
    ):
        refused = vera.client.post(f"{LISTS}/items", body).expect(422)
        assert refused["errors"][0]["field"] == name, body


def test_an_item_moves_between_lists_of_one_s_own(vera: Any, otto: Any, lamp: str) -> None:
    item = vera.wish(product=lamp, note="blue")
    other = vera.client.post(LISTS, {"name": "Later"}).expect(201)
    path = f"{LISTS}/items/{item['id']}"
    moved = vera.client.patch(path, {"wishlist": other["id"]}).expect(200)
    assert (moved["wishlist"], moved["note"]) == (other["id"], "blue")
    assert vera.client.get(f"{LISTS}/items?wishlist={other['id']}").expect(200)["count"] == 1
    vera.wish(product=lamp)
    vera.client.patch(path, {"wishlist": item["wishlist"]}).expect(409)
    foreign = otto.client.post(LISTS, {"name": "Otto's"}).expect(201)["id"]
    vera.client.patch(path, {"wishlist": foreign}).expect(422)
    vera.client.patch(path, {"product": str(uuid7())}).expect(422)
    assert vera.client.patch(path, {"note": "red"}).expect(200)["note"] == "red"
    vera.client.delete(path).expect(204)
    vera.client.get(path).expect(404)


def test_nobody_reaches_the_lists_of_others(
    vera: Any, otto: Any, admin: Any, client: Any, lamp: str
) -> None:
    item = vera.wish(product=lamp)
    for other in (otto.client, admin):
        assert other.get(LISTS).expect(200)["count"] == 0
        assert other.get(f"{LISTS}/items").expect(200)["count"] == 0
        for path in (f"{LISTS}/{item['wishlist']}", f"{LISTS}/items/{item['id']}"):
            other.get(path).expect(404)
            other.patch(path, {"name": "x"} if "items" not in path else {"note": "x"})
            other.delete(path).expect(404)
        other.post(f"{LISTS}/{item['wishlist']}/share").expect(404)
        other.post(f"{LISTS}/items", {"product": lamp, "wishlist": item["wishlist"]}).expect(422)
    client.get(LISTS).expect(401)
    assert vera.lists[0]["items"] == 1


def test_a_product_that_is_gone_stays_on_the_list_as_not_available(
    vera: Any, admin: Any, lamp: str, make_product: Any
) -> None:
    vera.wish(product=lamp)
    vera.wish(product=make_product("Chair"))
    admin.patch(f"/api/v1/products/{lamp}", {"is_active": False}).expect(200)
    shown = vera.client.get(f"{LISTS}/items?ordering=created_at").expect(200)["results"]
    assert [item["available"] for item in shown] == [False, True]
    assert [item["price"] for item in shown] == [None, "9.99"]
    assert [item["name"] for item in shown] == ["Lamp", "Chair"]
    admin.delete(f"/api/v1/products/{lamp}").expect(204)
    shown = vera.client.get(f"{LISTS}/items?product={lamp}").expect(200)["results"]
    assert [(item["name"], item["price"]) for item in shown] == [(None, None)]


def test_lists_take_as_few_queries_however_long_they_are(
    vera: Any, make_product: Any, make_variant: Any
) -> None:
    for name in "ABCDE":
        product = make_product(name)
        vera.wish(variant=make_variant(product, Size="L"))
        vera.client.post(LISTS, {"name": name}).expect(201)
    for path in (LISTS, f"{LISTS}/items"):
        vera.client.get(path).expect(200)  # How many there are is counted once.
        with query_counter() as queries:
            assert vera.client.get(path).expect(200)["count"] >= 5
        assert len(queries) <= 4, queries


def test_events_tell_what_was_added_and_removed(vera: Any, lamp: str) -> None:
    item = vera.wish(product=lamp)
    vera.client.delete(f"{LISTS}/items/{item['id']}").expect(204)
    rows = EventRow.select().where(EventRow.name.startswith("wishlist.")).order_by(EventRow.id)
    assert [(row.name, row.data["product"]) for row in rows] == [
        ("wishlist.item_added", lamp),
        ("wishlist.item_removed", lamp),
    ]


def test_an_account_takes_its_lists_along(vera: Any, lamp: str) -> None:
    vera.wish(product=lamp)
    with transaction():
        delete_account(vera.account)
    assert [model.select().count() for model in (Item, Wishlist, Wisher)] == [0, 0, 0]


def test_staff_see_how_many_people_wish_for_a_product(
    vera: Any, otto: Any, staff: Any, lamp: str, make_variant: Any
) -> None:
    vera.wish(product=lamp)
    vera.wish(variant=make_variant(lamp, Size="L"))
    otto.wish(product=lamp)
    key = Item.get().product
    assert api.wanted([key]) == {key: 2}
    page = console(staff.client)
    assert ("Most wanted" in page.text, "Lamp (" in page.text) == (True, True)
    assert vera.id not in page.text
    assert console(vera.client).status_code == 403


def console(client: Any) -> Any:
    """The console's page of wishes, as somebody."""
    return client.get("/console/wishlists", headers={"Cookie": f"bodega_console={client.token}"})


@pytest.mark.parametrize("path", [LISTS, f"{LISTS}/items", f"{LISTS}/shared/x"])
def test_without_the_addon_there_is_nothing_of_it(
    shop: Any, admin: Any, vera: Any, lamp: str, path: str
) -> None:
    before = admin.get(f"/api/v1/products/{lamp}").expect(200)
    vera.wish(product=lamp)
    lifecycle.disable(shop, "wishlists")
    shop.refresh()
    with bound(shop.current):
        assert admin.get(f"/api/v1/products/{lamp}").expect(200) == before
        assert "wishlist" not in admin.get("/api/schema").text
        missing = admin.get(path).expect(404)
        assert missing["detail"] == admin.get("/api/v1/nothing").expect(404)["detail"]
