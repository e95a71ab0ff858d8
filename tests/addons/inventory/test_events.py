"""What is published: changes, and each crossing of a threshold once."""

from typing import Any

from bodega_inventory import api
from bodega_inventory.api import Item
from bodega_inventory.models import Level
from bodega_notifications.models import Notification


def of(item: Item, quantity: int) -> list[Item]:
    return [Item(item.product, item.variant, quantity)]


def test_a_change_is_published_once_for_an_item_and_a_transaction(store: Any) -> None:
    lamp, chair = store.item(10, "LAMP"), store.item(3, "CHAIR")
    api.receive([lamp, chair], reference="delivery-7")
    found = store.events("changed")
    assert {one["sku"] for one in found} == {"LAMP", "CHAIR"}
    assert len(found) == 2
    first = next(one for one in found if one["sku"] == "LAMP")
    assert (first["change"], first["available"], first["reference"]) == (10, 10, "delivery-7")
    api.commit(api.reserve(of(lamp, 2), "cart-1"))
    assert [one["change"] for one in store.events("changed")[2:]] == [-2, 0]


def test_low_stock_is_told_once_for_each_crossing(store: Any) -> None:
    item = store.item(10)
    api.receive([item])
    for _ in range(4):
        api.sell(of(item, 1))
    assert store.events("low_stock_reached") == []
    api.sell(of(item, 1))
    (told,) = store.events("low_stock_reached")
    assert (told["available"], told["threshold"], told["product"]) == (5, 5, str(item.product))
    api.sell(of(item, 3))
    api.restock(of(item, 2))
    assert len(store.events("low_stock_reached")) == 1
    api.restock(of(item, 3))
    api.sell(of(item, 3))
    assert len(store.events("low_stock_reached")) == 2


def test_a_threshold_of_its_own_counts_before_the_shop_s(store: Any, admin: Any) -> None:
    item = store.item(20)
    api.receive([item])
    admin.patch(f"/api/v1/inventory/levels/{item.id}", {"low_stock_threshold": 15}).expect(200)
    api.sell(of(item, 5))
    assert [one["threshold"] for one in store.events("low_stock_reached")] == [15]


def test_what_could_not_be_had_and_can_be_had_again_is_told_once(store: Any) -> None:
    item = store.item(2)
    api.receive([item])
    assert store.events("restocked") == []
    held = api.reserve(of(item, 2), "cart-1")
    api.release(held)
    api.receive(of(item, 5))
    assert len(store.events("restocked")) == 1
    api.sell(of(item, 7))
    api.receive(of(item, 1))
    assert [one["available"] for one in store.events("restocked")] == [2, 1]


def test_many_items_of_one_transaction_are_one_event(store: Any) -> None:
    items = [store.item(9) for _ in range(101)]
    api.receive(items, reference="delivery-8")
    assert store.events("changed") == []
    (told,) = store.events("bulk_changed")
    assert (told["items"], told["reference"]) == (101, "delivery-8")


def test_a_new_threshold_of_the_shop_is_judged_by_a_job(store: Any, clock: Any) -> None:
    item = store.item(20)
    api.receive([item])
    store.set("low_stock_threshold", 30)
    clock.move(minutes=6)
    store.work()
    assert store.level(item).low_stock
    assert [one["threshold"] for one in store.events("low_stock_reached")] == [30]


def test_whoever_sees_to_the_stock_is_told_that_it_is_low(store: Any) -> None:
    item = store.item(10, "LAMP")
    api.receive([item])
    api.sell(of(item, 7))
    store.work()
    titles = {row.title for row in Notification.select()}
    assert titles == {"Only 3 of Product LAMP left"}


def test_staff_are_told_once_for_each_crossing_in_the_language_they_prefer(
    store: Any, make_staff: Any
) -> None:
    mona, uwe = make_staff("en"), make_staff("de-AT")
    item = store.item(10, "LAMP")
    api.receive([item])
    for quantity in (7, 1, 2):
        api.sell(of(item, quantity))
    api.receive(of(item, 9))
    api.sell(of(item, 9))
    store.work()

    def told(account: Any) -> list[str]:
        rows = Notification.select().where(Notification.account == account.id)
        return [row.title for row in rows.order_by(Notification.id)]

    assert told(mona) == ["Only 3 of Product LAMP left", "Product LAMP is sold out"]
    assert told(uwe) == ["Nur noch 3 von Product LAMP", "Product LAMP ist ausverkauft"]
    (text,) = {row.text for row in Notification.select().where(Notification.title == told(uwe)[0])}
    assert text == "LAMP: 3 verfügbar; ab 5 gilt der Bestand als niedrig."


def test_without_notifications_nobody_is_told_and_nothing_fails(store: Any) -> None:
    store.switch("notifications", on=False)
    item = store.item(10)
    api.receive([item])
    api.sell(of(item, 7))
    store.work()
    assert Level.get_by_id(item.id).low_stock
