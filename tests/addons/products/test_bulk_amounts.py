"""A table of which only amounts differ is written without a look at each row."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from bodega_products import bulk, bulk_amounts, events
from bodega_products.api import Change, ProductRow, ProductTable, upsert
from bodega_products.bulk_rows import EMPTIED
from bodega_products.models import Product
from bodega_products.undoing import undo
from bodega_sdk import transaction, uuid7

FIELDS = ("name", "price_minor", "compare_at_minor", "cost_minor", "is_active", "weight_grams")
#: What a product is, and what a row may say of it; None of all but one says nothing.
VALUES: dict[str, tuple[Any, ...]] = {
    "name": ("A", "B", None),
    "price_minor": (0, 1, 10**12, None),
    "compare_at_minor": (None, 5, 7),
    "cost_minor": (None, 0, 3),
    "is_active": (True, False, None),
    "weight_grams": (None, 0, 9),
}


def rows_of(table: ProductTable) -> list[ProductRow]:
    return [table[place] for place in range(len(table))]


def some(rng: random.Random, prefix: str, names: tuple[str, ...]) -> ProductTable:
    """Return rows of sixty products."""
    rows = [
        (f"{prefix}{number}", *[rng.choice(VALUES[name]) for name in names]) for number in range(60)
    ]
    return ProductTable(names, rows)


def state(prefix: str) -> list[list[Any]]:
    shown = [getattr(Product, name) for name in ("sku", *FIELDS, "search_text")]
    query = Product.select(*shown).where(Product.sku_key.startswith(prefix))
    return sorted(
        [value.replace(prefix, "") if prefix and isinstance(value, str) else value for value in row]
        for row in query.tuples()
    )


@pytest.mark.parametrize("seed", range(8))
def test_it_comes_to_the_same_as_row_by_row(shop: Any, seed: int) -> None:
    for number in range(6):
        names = tuple(random.Random(f"{seed}, {number}").sample(FIELDS, 1 + number % 4))
        told = []
        for prefix, made in (("t", None), ("r", rows_of)):
            table = some(random.Random(f"{seed} {number}"), prefix, names)
            before, changes = state(prefix), list[Change]()
            outcomes = upsert(made(table) if made else table, "test", None, changes)
            after = state(prefix)
            if number % 2:
                assert undo(changes, "test") == {}
                assert state(prefix) == before
            told.append((outcomes, after))
        assert told[0] == told[1]


def test_nothing_is_looked_at_row_by_row(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ProductTable(("name", "price_minor"), [(f"S{n}", "A", 100) for n in range(50)])
    upsert(made, "test")
    monkeypatch.setattr(bulk._Upsert, "_judge", lambda *_: pytest.fail("a row was looked at"))
    dear = ProductTable(("name", "price_minor"), [(f"S{n}", "A", 100 + n) for n in range(50)])
    changes: list[Change] = []
    outcomes = [one.status for one in upsert(dear, "test", None, changes)]
    assert outcomes == ["unchanged", *["updated"] * 49]
    assert [one.before for one in changes][:2] == [
        {"sku": "S1", "price_minor": 100}, {"sku": "S2", "price_minor": 100},
    ]  # fmt: skip
    assert sorted(price for (price,) in Product.select(Product.price_minor).tuples()) == [
        *range(100, 150)
    ]


def test_it_can_be_undone(shop: Any) -> None:
    names = ("name", "price_minor", "is_active", "compare_at_minor")
    upsert(ProductTable(names, [("a", "A", 1, True, 5), ("b", "B", 2, True, None)]), "test")
    before = state("")
    changes: list[Change] = []
    upsert(ProductTable(names, [("a", "A", 9, False, None), ("b", "B", 2, None, 7)]), "x", None,
           changes)  # fmt: skip
    assert state("") != before
    assert [dict(one.before or {})["is_active"] for one in changes] == [True, True]
    assert json.loads(json.dumps([one.before for one in changes]))[0]["is_active"] is True
    assert undo(changes, "test") == {}
    assert state("") == before


def test_who_was_taken_down_is_looked_at(shop: Any) -> None:
    upsert(ProductTable(("is_active",), [("a", True), ("b", True)]), "test")
    down = Product.update(is_active=False, taken_down_at=datetime.now(UTC))
    with transaction():
        down.where(Product.sku == "a").execute()
    upsert(ProductTable(("is_active",), [("a", True), ("b", False)]), "test")
    found = Product.select(Product.is_active, Product.taken_down_at).order_by(Product.sku)
    assert [*found.tuples()] == [(True, None), (False, None)]


def test_vendors_do_not_change_what_others_sell(shop: Any) -> None:
    mine, other = uuid7(), uuid7()
    upsert(ProductTable(("price_minor",), [("a", 1)]), "test", mine)
    upsert(ProductTable(("price_minor",), [("b", 1)]), "test", other)
    found = upsert(ProductTable(("price_minor",), [("a", 2), ("b", 2)]), "test", mine)
    assert [one.status for one in found] == ["updated", "refused"]
    prices = Product.select(Product.price_minor).order_by(Product.sku).tuples()
    assert [*prices] == [(2,), (1,)]


def test_what_is_asked_of_more_than_itself_is_looked_at_row_by_row() -> None:
    assert bulk_amounts.amounts_of(("name", "price_minor")) == ("price_minor",)
    assert bulk_amounts.amounts_of(("slug", "price_minor")) == ()
    assert bulk_amounts.amounts_of(("currency", "price_minor")) == ()
    assert {*EMPTIED} <= {*bulk_amounts.AMOUNTS}


def test_events_tell_of_them(shop: Any) -> None:
    told: list[Any] = []
    upsert(ProductTable(("price_minor",), [("a", 1), ("b", 2)]), "test")
    with pytest.MonkeyPatch.context() as patch:
        publish = lambda source, data: told.append((source, data))  # noqa: E731
        event = type("Told", (), {"publish": staticmethod(publish)})
        patch.setattr(events, "products_changed", event)
        upsert(ProductTable(("price_minor",), [("a", 1), ("b", 3), ("c", 4)]), "import:1")
    ids = {item.sku: item.id for item in Product.select()}
    ((source, data),) = told
    assert (source, data["created"], data["updated"]) == ("import:1", 1, 1)
    assert {*data["ids"]} == {ids["b"], ids["c"]}
