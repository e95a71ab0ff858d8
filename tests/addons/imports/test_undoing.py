"""Undoing an import: what it changed is as it was, unless somebody changed it since."""

from datetime import timedelta
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega_imports import undoing
from bodega_imports.changes import ChangedProduct
from bodega_imports.jobs import delete_old_files
from bodega_imports.models import Import
from bodega_inventory import api as inventory
from bodega_products.models import Product, Variant
from bodega_sdk import now, transaction
from bodega_sdk.runtime import bound

IMPORTS, PRODUCTS = "/api/v1/imports", "/api/v1/products"
CSV = {"Content-Type": "text/csv"}
THERE = (
    "sku,name,slug,description,price,compare_at_price,category,image_url,is_active\n"
    "A,Lamp,lamp,Bright,10.00,12.00,Lamps,https://x.example/a.png,true\n"
    "B,Chair,chair,,20.00,,,,true\n"
    "C,Desk,desk,,30.00,,Desks,,false\n"
)
#: A changed wholly, its slug too, and its SKU written otherwise; C as it is; D and E made.
THEN = (
    "sku,name,slug,description,price,compare_at_price,category,image_url,is_active\n"
    "a,Light,light,Dim,11.00,,Lights,https://x.example/b.png,false\n"
    "B,Chair,chair,Soft,21.00,,Chairs,,true\n"
    "C,Desk,desk,,30.00,,Desks,,false\n"
    "D,Stool,stool,,5.00,,,,true\n"
    "E,Shelf,shelf,,6.00,,,,true\n"
)


@pytest.fixture
def imported(admin: Any, worker: Any) -> Any:
    """Import a text and return the import."""

    def run(text: str, query: str = "", content: dict[str, str] = CSV) -> dict[str, Any]:
        begun = admin.post(f"{IMPORTS}{query}", headers=content, body=text.encode()).expect(202)
        worker.run()
        found: dict[str, Any] = admin.get(f"{IMPORTS}/{begun['id']}").expect(200)
        assert found["status"] == "completed", found
        return found

    return run


def _undone(admin: Any, worker: Any, run: dict[str, Any]) -> dict[str, Any]:
    asked = admin.post(f"{IMPORTS}/{run['id']}/undo").expect(202)
    assert asked["undo"] == "queued"
    worker.run()
    found: dict[str, Any] = admin.get(f"{IMPORTS}/{run['id']}").expect(200)
    assert found["undo"] == "completed"
    return found


def _table() -> list[tuple[Any, ...]]:
    names = ("sku", "name", "slug", "description", "price_minor", "compare_at_minor", "category",
             "image_url", "is_active")  # fmt: skip
    query = Product.select(*(getattr(Product, name) for name in names))
    return sorted(query.where(Product.deleted_at.is_null()).tuples())


@pytest.mark.parametrize("at_once", [1, 500])
def test_what_was_imported_is_as_it_was(
    admin: Any, worker: Any, imported: Any, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(undoing, "_MANY", at_once)
    imported(THERE)
    before = _table()
    run = imported(THEN)
    assert (run["created"], run["updated"], run["unchanged"]) == (2, 2, 1)
    found = _undone(admin, worker, run)
    assert (found["undone"], found["conflicts"]) == (4, 0)
    assert _table() == before
    found = admin.get(f"{PRODUCTS}/search?q=bright").expect(200)
    assert [item["sku"] for item in found["results"]] == ["A"]


def test_what_somebody_changed_since_stays_and_is_listed(
    admin: Any, worker: Any, imported: Any
) -> None:
    imported(THERE)
    run = imported(THEN)
    by_sku = dict(Product.select(Product.sku, Product.id).tuples())
    admin.patch(f"{PRODUCTS}/{by_sku['a']}", {"name": "Mine"}).expect(200)
    admin.patch(f"{PRODUCTS}/{by_sku['D']}", {"name": "Mine too"}).expect(200)
    admin.delete(f"{PRODUCTS}/{by_sku['E']}").expect(204)
    found = _undone(admin, worker, run)
    assert (found["undone"], found["conflicts"]) == (1, 3)
    listed = admin.get(f"{IMPORTS}/{run['id']}/conflicts").expect(200)["conflicts"]
    assert {(item["product"], item["reason"]) for item in listed} == {
        (str(by_sku["a"]), "it was changed since"),
        (str(by_sku["D"]), "it was changed since"),
        (str(by_sku["E"]), "it was deleted since"),
    }
    assert {row[1] for row in _table()} == {"Mine", "Mine too", "Chair", "Desk"}


def test_a_slug_that_is_taken_meanwhile_is_a_conflict(
    admin: Any, worker: Any, imported: Any
) -> None:
    imported(THERE)
    run = imported(THEN)
    admin.post(PRODUCTS, {"name": "X", "sku": "X", "price": "1.00", "slug": "lamp"}).expect(201)
    found = _undone(admin, worker, run)
    assert (found["undone"], found["conflicts"]) == (3, 1)
    (listed,) = admin.get(f"{IMPORTS}/{run['id']}/conflicts").expect(200)["conflicts"]
    assert listed["reason"].startswith("slug: another product has this slug")


def test_variants_come_back_too(admin: Any, worker: Any, imported: Any) -> None:
    shopify = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    imported(shopify + "t,Tee,Size,S,T-S,5.00\nt,,,M,T-M,5.00\n")
    before = sorted(Variant.select(Variant.sku, Variant.price_minor, Variant.position).tuples())
    run = imported(shopify + "t,Tee,Size,S,T-S,6.00\nt,,,L,T-L,6.00\n")
    _undone(admin, worker, run)
    query = Variant.select(Variant.sku, Variant.price_minor, Variant.position)
    assert sorted(query.tuples()) == before


def test_an_import_is_undone_once_and_only_when_it_changed_something(
    admin: Any, worker: Any, imported: Any
) -> None:
    run = imported(THERE)
    dry, same = imported(THEN, "?dry_run=true"), imported(THERE)
    _undone(admin, worker, run)
    for one in (run, dry, same):
        refused = admin.post(f"{IMPORTS}/{one['id']}/undo")
        assert refused.status_code == 409
    waiting = admin.post(IMPORTS, headers=CSV, body=THERE.encode()).expect(202)
    assert admin.post(f"{IMPORTS}/{waiting['id']}/undo").status_code == 409


def test_what_was_changed_is_forgotten_with_the_file(imported: Any, worker: Any) -> None:
    run = imported(THERE)
    assert ChangedProduct.select().count() == 3
    Import.update(finished_at=now() - timedelta(days=8)).where(Import.id == run["id"]).execute()
    delete_old_files.enqueue()
    worker.run()
    assert ChangedProduct.select().count() == 0


STOCKS = "sku,name,price,inventory.stock\nA,Lamp,10.00,{}\nB,Chair,20.00,{}\n"


def _stocks(admin: Any) -> dict[str, Any]:
    found = admin.get(f"{PRODUCTS}?ordering=name").expect(200)["results"]
    return {item["sku"]: item["inventory"]["stock"] for item in found}


@pytest.fixture
def stocked(admin: Any, shop: Any, imported: Any) -> Any:
    """Import the stock of A and B; return the import."""
    lifecycle.enable(shop, "inventory")
    shop.refresh()
    return lambda a, b: imported(STOCKS.format(a, b))


def test_what_addons_add_comes_back_too(admin: Any, worker: Any, stocked: Any) -> None:
    stocked(4, 5)
    run = stocked(40, 5)
    assert (_stocks(admin), run["updated"]) == ({"A": 40, "B": 5}, 1)
    before = admin.get(f"{PRODUCTS}/A").expect(200)["updated_at"]
    found = _undone(admin, worker, run)
    assert (_stocks(admin), found["undone"], found["conflicts"]) == ({"A": 4, "B": 5}, 1, 0)
    assert admin.get(f"{PRODUCTS}/A").expect(200)["updated_at"] > before


def test_what_addons_add_stays_where_it_was_changed_since(
    admin: Any, worker: Any, stocked: Any, imported: Any, shop: Any
) -> None:
    stocked(4, 5)
    run = imported(STOCKS.format(40, 50).replace("Lamp", "Light"))
    by_sku = dict(Product.select(Product.sku, Product.id).tuples())
    with bound(shop.current), transaction():
        inventory.adjust([inventory.Item(by_sku["A"], None, -1)], reason="sold")
    found = _undone(admin, worker, run)
    assert (_stocks(admin), found["undone"], found["conflicts"]) == ({"A": 39, "B": 5}, 1, 1)
    (listed,) = admin.get(f"{IMPORTS}/{run['id']}/conflicts").expect(200)["conflicts"]
    assert listed["product"] == str(by_sku["A"])
    assert listed["reason"] == (
        "all else was brought back, but not inventory.stock (it was changed since)"
    )
    assert admin.get(f"{PRODUCTS}/A").expect(200)["name"] == "Lamp"


def test_what_addons_add_stays_where_the_addon_is_not_enabled(
    admin: Any, worker: Any, stocked: Any, shop: Any
) -> None:
    stocked(4, 5)
    run = stocked(40, 5)
    lifecycle.disable(shop, "inventory")
    shop.refresh()
    assert _undone(admin, worker, run)["conflicts"] == 1
    (listed,) = admin.get(f"{IMPORTS}/{run['id']}/conflicts").expect(200)["conflicts"]
    assert listed["reason"] == "all else was brought back, but not inventory (it is not enabled)"
    lifecycle.enable(shop, "inventory")
    shop.refresh()
    assert _stocks(admin) == {"A": 40, "B": 5}
