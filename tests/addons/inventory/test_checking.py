"""The commands, the console, and what repairs what does not agree."""

import json
from collections.abc import Callable
from typing import Any

from bodega_inventory import api, samples
from bodega_inventory.api import Item
from bodega_inventory.companions import ProductStock
from bodega_inventory.models import Level, Movement
from bodega_products import sample_data
from bodega_sdk import SampleRun, transaction


def test_what_agrees_is_said_to(store: Any, run: Callable[..., str]) -> None:
    item = store.item(5)
    api.receive([item])
    api.reserve([Item(item.product, None, 2)], "cart-1")
    assert run("check") == "Ledger and stock agree.\n"
    assert json.loads(run("check", "--json")) == []


def test_what_does_not_agree_is_found_and_repaired(store: Any, run: Callable[..., str]) -> None:
    lamp, chair = store.item(5), store.item(7)
    api.receive([lamp, chair])
    Level.update(on_hand=9, available=9).where(Level.id == lamp.id).execute()
    Level.delete().where(Level.id == chair.id).execute()
    ProductStock.update(stock=99).where(ProductStock.id == lamp.id).execute()
    told = run("check", code=1)
    assert f"{lamp.id}: on_hand is 9, expected 5" in told
    assert f"{chair.id}: level is None, expected 7" in told
    assert f"{lamp.id}: shown stock is 99" in told
    assert "2 product(s) repaired, 0 disagreement(s) left." in run("check", "--repair")
    assert [store.level(one).on_hand for one in (lamp, chair)] == [5, 7]
    assert ProductStock.read(lamp.id).stock == 5
    assert run("check") == "Ledger and stock agree.\n"


def test_goods_are_received_by_their_sku(store: Any, run: Callable[..., str]) -> None:
    item = store.item(0, "LAMP")
    small, _ = store.forms("S", "L")
    assert run("receive", "lamp", "20", "--reference", "delivery-7") == "lamp: 20 available.\n"
    assert store.level(item).on_hand == 20
    assert "no product and no variant" in run("receive", "nothing", "1", code=1)
    sku = "P-2-S"
    for _ in range(2):
        run("receive", sku, "3", "--key", "once")
    assert store.level(small).on_hand == 3


def test_the_console_shows_levels_and_movements(store: Any, admin: Any) -> None:
    item, low = store.item(50, "LAMP"), store.item(2, "CHAIR")
    api.receive([item, low])
    api.sell([Item(item.product, None, 10)])
    session = {"Cookie": f"bodega_console={admin.token}"}
    page = admin.get("/console/inventory", headers=session)
    assert page.status_code == 200
    assert "1 item(s) are low." in page.text
    assert "CHAIR" in page.text
    moves = admin.get(f"/console/inventory/movements?item={item.id}", headers=session)
    assert moves.status_code == 200
    assert "What was available" in moves.text
    assert "sale" in moves.text


def test_samples_are_made_once_and_taken_away(store: Any) -> None:
    kept = store.item(5)
    api.receive([kept])
    with transaction():
        sample_data.make(SampleRun(count=5))
    for _ in range(2):
        with transaction():
            samples.make(SampleRun(count=5))
    assert samples.others() == 1
    assert Movement.select(Movement.product).distinct().count() in range(2, 7)
    assert Movement.select(Movement.item).distinct().count() == Movement.select().count()
    with transaction():
        samples.remove(SampleRun())
    assert Movement.select().count() == 1
    assert store.level(kept).on_hand == 5
