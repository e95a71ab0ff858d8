"""What moves stock: the ledger, its sum, and what is refused."""

from typing import Any

import peewee
import pytest

from bodega_inventory import api
from bodega_inventory.api import Item, OutOfStock
from bodega_inventory.models import KINDS, PHYSICAL, Level, Movement
from bodega_sdk import transaction, uuid7
from bodega_sdk.errors import Conflict, InvalidInput


def test_the_sum_of_the_ledger_is_the_stock(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    api.sell([Item(item.product, None, 3)])
    api.restock([Item(item.product, None, 1)])
    api.adjust([Item(item.product, None, -2)], reason="broken")
    assert store.ledger(item) == [("receipt", 10), ("sale", -3), ("return", 1), ("adjustment", -2)]
    level = store.level(item)
    assert (level.on_hand, level.reserved, level.available) == (6, 0, 6)
    assert sum(number for _, number in store.ledger(item)) == 6


def test_a_line_of_the_ledger_says_what_was_available_behind_it(store: Any) -> None:
    item = store.item(4)
    made = api.receive([item], reason="delivered", reference="delivery-7", actor="somebody")
    (line,) = Movement.select()
    assert (made[0].available, made[0].kind, made[0].item) == (4, "receipt", item)
    assert (line.available, line.reason, line.reference) == (4, "delivered", "delivery-7")
    assert line.actor == "somebody"


def test_the_ledger_is_only_ever_added_to(store: Any) -> None:
    api.receive([store.item(4)])
    for act in (lambda: Movement.update(quantity=1), Movement.delete, Movement.get().save):
        with pytest.raises(TypeError, match="only ever added to"):
            act()
    assert set(PHYSICAL) < set(KINDS)


def test_what_is_not_there_cannot_be_sold_and_all_that_lacks_is_named(store: Any) -> None:
    lamp, chair, desk = store.item(2, "LAMP"), store.item(5, "CHAIR"), store.item(1, "DESK")
    api.receive([lamp, chair])
    with pytest.raises(OutOfStock) as caught:
        api.sell([Item(one.product, None, 3) for one in (lamp, chair, desk)])
    short = [(one.name, one.place, one.available) for one in caught.value.short]
    assert short == [("LAMP", 0, 2), ("DESK", 2, 0)]
    assert "LAMP: 2 can be had, 3 are wanted" in caught.value.detail
    assert [error.field for error in caught.value.errors] == [
        "items.0.quantity",
        "items.2.quantity",
    ]
    assert [store.level(one).available for one in (lamp, chair)] == [2, 5]


def test_the_same_key_moves_once_and_nothing_else(store: Any) -> None:
    item = store.item(4)
    first = api.receive([item], key="delivery-7")
    assert api.receive([item], key="delivery-7") == first
    assert store.level(item).on_hand == 4
    with pytest.raises(Conflict, match="moved something else"):
        api.receive([Item(item.product, None, 5)], key="delivery-7")
    with pytest.raises(Conflict, match="moved something else"):
        api.receive([store.item(4)], key="delivery-7")


@pytest.mark.parametrize("quantity", [0, -1, 1_000_000_001])
def test_a_quantity_out_of_its_bounds_is_refused(store: Any, quantity: int) -> None:
    with pytest.raises(InvalidInput, match=r"items\.0\.quantity"):
        api.receive([store.item(quantity)])


def test_what_there_is_not_cannot_be_moved(store: Any) -> None:
    shirt = store.forms("S", "M")
    for item in (Item(uuid7()), Item(shirt[0].product, uuid7()), Item(uuid7(), shirt[0].variant)):
        with pytest.raises(InvalidInput, match=r"items\.0\.(product|variant)"):
            api.receive([item])
    assert not Level.select().exists()


def test_with_backorder_more_can_be_sold_than_is_there_up_to_its_limit(store: Any) -> None:
    item = store.item(2)
    api.receive([item])
    Level.update(backorder=True, backorder_limit=3).execute()
    api.sell([Item(item.product, None, 5)])
    assert store.level(item).available == -3
    with pytest.raises(OutOfStock, match="0 can be had"):
        api.sell([item])
    api.receive([Item(item.product, None, 4)])
    assert store.level(item).available == 1


def test_what_is_not_counted_can_always_be_reserved(store: Any) -> None:
    item = store.item(1_000_000)
    api.receive([Item(item.product, None, 2)])
    Level.update(tracked=False).execute()
    held = api.reserve([item], "order-1")
    Level.update(tracked=True).execute()
    api.commit(held)
    assert store.ledger(item) == [("receipt", 2)]
    assert store.level(item).available == 2


def test_the_database_itself_refuses_a_stock_below_zero(store: Any) -> None:
    item = store.item(2)
    api.receive([item])
    for wrong in ({"available": 3}, {"available": -1, "on_hand": -1}, {"reserved": -1}):
        with pytest.raises(peewee.IntegrityError), transaction():
            Level.update(wrong).execute()
    assert store.level(item).available == 2


def test_available_answers_for_many_at_once(store: Any) -> None:
    lamp, never = store.item(2), store.item()
    api.receive([lamp])
    found = api.available([lamp, Item(lamp.product, None, 3), never])
    assert [(one.available, one.enough) for one in found] == [(2, True), (2, False), (0, False)]


def test_a_transaction_that_is_rolled_back_moves_nothing(store: Any) -> None:
    item = store.item(2)

    def fail() -> None:
        with transaction():
            api.receive([item])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not Movement.select().exists()
    assert not Level.select().exists()
    assert store.events() == []
