"""Reservations: promised, sold, released, ended."""

from datetime import timedelta
from typing import Any

import pytest

from bodega_inventory import api, reserving
from bodega_inventory.api import Item, OutOfStock
from bodega_inventory.models import Reservation
from bodega_sdk import now, uuid7
from bodega_sdk.errors import Conflict, InvalidInput, NotFound


def numbers(store: Any, item: Item) -> tuple[int, int, int]:
    level = store.level(item)
    return level.on_hand, level.reserved, level.available


def test_what_is_reserved_is_there_but_cannot_be_had(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    held = api.reserve([Item(item.product, None, 4)], "cart-1")
    assert numbers(store, item) == (10, 4, 6)
    assert (held.reference, held.status, held.items[0].quantity) == ("cart-1", "open", 4)
    with pytest.raises(OutOfStock, match="6 can be had, 7 are wanted"):
        api.reserve([Item(item.product, None, 7)], "cart-2")


def test_a_reservation_becomes_a_sale(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    held = api.reserve([Item(item.product, None, 4)], "cart-1")
    assert api.commit(held).status == "sold"
    assert numbers(store, item) == (6, 0, 6)
    assert store.ledger(item)[1:] == [("reservation", -4), ("release", 4), ("sale", -4)]


def test_what_is_released_can_be_had_again(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    api.reserve([Item(item.product, None, 4)], "cart-1")
    assert api.release("cart-1").status == "released"
    assert numbers(store, item) == (10, 0, 10)


def test_each_of_them_happens_once_for_a_reference(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    four = [Item(item.product, None, 4)]
    assert api.reserve(four, "cart-1").items == api.reserve(four, "cart-1").items
    assert numbers(store, item) == (10, 4, 6)
    api.commit("cart-1")
    assert api.commit("cart-1").status == "sold"
    assert api.reserve(four, "cart-1").status == "sold"
    assert numbers(store, item) == (6, 0, 6)
    api.reserve(four, "cart-2")
    api.release("cart-2")
    assert api.release("cart-2").status == "released"
    assert numbers(store, item) == (6, 0, 6)


def test_a_reference_stands_for_the_same_items_only(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    api.reserve([Item(item.product, None, 4)], "cart-1")
    with pytest.raises(Conflict, match="holds other items"):
        api.reserve([Item(item.product, None, 5)], "cart-1")
    api.release("cart-1")
    assert api.reserve([Item(item.product, None, 5)], "cart-1").status == "open"
    assert numbers(store, item) == (10, 5, 5)


def test_what_was_sold_is_not_released_and_what_was_released_not_sold(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    api.commit(api.reserve([item], "cart-1"))
    with pytest.raises(Conflict, match="sold already"):
        api.release("cart-1")
    api.receive([item])
    api.release(api.reserve([item], "cart-2"))
    with pytest.raises(Conflict, match="released already"):
        api.commit("cart-2")
    for act in (api.commit, api.release):
        with pytest.raises(NotFound):
            act("nobody's")


def test_all_items_are_reserved_or_none(store: Any) -> None:
    lamp, chair = store.item(5, "LAMP"), store.item(2, "CHAIR")
    api.receive([lamp, chair])
    with pytest.raises(OutOfStock) as caught:
        api.reserve([lamp, Item(chair.product, None, 3)], "cart-1")
    assert [one.name for one in caught.value.short] == ["CHAIR"]
    assert caught.value.extra["short"][0]["available"] == 2
    assert not Reservation.select().exists()
    assert numbers(store, lamp) == (5, 0, 5)


def test_an_item_that_comes_twice_is_added_up(store: Any) -> None:
    item = store.item(3)
    api.receive([item])
    two = Item(item.product, None, 2)
    with pytest.raises(OutOfStock):
        api.reserve([two, two], "cart-1")
    api.receive([item])
    assert api.reserve([two, two], "cart-1").items == (Item(item.product, None, 4),)


def test_bad_words_are_refused(store: Any) -> None:
    item = store.item(0)
    for items, reference in (([], "x"), ([item], "x"), ([store.item(1)], ""), ([item], "x" * 201)):
        with pytest.raises(InvalidInput):
            api.reserve(items, reference)


def test_a_reservation_ends_by_itself_and_can_be_sold_until_it_did(store: Any, clock: Any) -> None:
    item = store.item(10)
    api.receive([item])
    api.reserve([Item(item.product, None, 4)], "cart-1", now() + timedelta(minutes=10))
    api.reserve([Item(item.product, None, 1)], "cart-2", now() + timedelta(hours=2))
    clock.move(minutes=9)
    store.work()
    assert numbers(store, item) == (10, 5, 5)
    clock.move(minutes=5)
    store.work()
    assert numbers(store, item) == (10, 1, 9)
    assert store.ledger(item)[-1] == ("release", 4)
    with pytest.raises(Conflict, match="at its end already"):
        api.commit("cart-1")
    clock.move(hours=3)
    assert api.commit("cart-2").status == "sold"


def test_without_a_time_the_setting_says_when_it_ends(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    store.set("reservation_minutes", 5)
    ends = api.reserve([item], "cart-1").expires_at
    assert timedelta(minutes=4) < ends - now() <= timedelta(minutes=5)


def test_reservations_that_ended_long_ago_are_forgotten_and_the_ledger_stays(
    store: Any, clock: Any
) -> None:
    item = store.item(10)
    api.receive([item])
    api.commit(api.reserve([item], "cart-1"))
    clock.move(days=91)
    store.work()
    assert not Reservation.select().exists()
    assert len(store.ledger(item)) == 4


def test_a_line_that_is_gone_cannot_be_released(store: Any) -> None:
    with pytest.raises(NotFound, match="no reservation with this id"):
        reserving.release_one(uuid7(), "")
