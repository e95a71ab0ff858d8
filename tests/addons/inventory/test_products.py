"""What products and variants show of their stock, and how it is set there."""

import threading
import time
from typing import Any
from uuid import UUID

import pytest

from bodega_inventory import api
from bodega_inventory.api import Item
from bodega_inventory.companions import ProductStock, VariantStock
from bodega_inventory.models import Level, Movement
from bodega_products import catalogue
from bodega_products.models import Product
from bodega_sdk import transaction, uuid7
from bodega_sdk.testing.queries import query_counter

PRODUCTS = "/api/v1/products"
NOTHING = {"stock": 0, "in_stock": False, "low_stock": False, "backorder": False}


def shown(admin: Any, product: UUID) -> Any:
    return admin.get(f"{PRODUCTS}/{product}").expect(200)["inventory"]


def skus(admin: Any, query: str) -> list[str]:
    found = admin.get(f"{PRODUCTS}?{query}").expect(200)
    assert found["count"] == len(found["results"])
    return [item["sku"] for item in found["results"]]


def test_a_product_shows_its_stock(store: Any, admin: Any) -> None:
    item = store.item(3)
    assert shown(admin, item.product) == NOTHING
    api.receive([item])
    assert shown(admin, item.product) == NOTHING | {"stock": 3, "in_stock": True, "low_stock": True}
    api.reserve([item], "cart-1")
    assert shown(admin, item.product) == NOTHING | {"low_stock": True}


def test_a_product_shows_the_sum_of_its_variants(store: Any, admin: Any) -> None:
    small, large = store.forms("S", "L", quantity=10)
    api.receive([small, large])
    api.sell([Item(small.product, small.variant, 7)])
    assert shown(admin, small.product) == NOTHING | {
        "stock": 13, "in_stock": True, "low_stock": True
    }  # fmt: skip
    assert VariantStock.read(small.variant).stock == 3


def test_lists_are_narrowed_and_ordered_by_stock(store: Any, admin: Any) -> None:
    many, few, _ = store.item(50, "MANY"), store.item(2, "FEW"), store.item(0, "NONE")
    api.receive([many, few])
    assert skus(admin, "in_stock=true&ordering=name") == ["FEW", "MANY"]
    assert skus(admin, "in_stock=false") == ["NONE"]
    assert skus(admin, "low_stock=true") == ["FEW"]
    assert skus(admin, "inventory.stock__gte=3") == ["MANY"]
    assert skus(admin, "ordering=-inventory.stock") == ["MANY", "FEW", "NONE"]


def test_the_stock_is_set_through_the_ledger(store: Any, admin: Any) -> None:
    body = {"name": "Lamp", "sku": "LAMP", "price": "9.99", "inventory": {"stock": 8}}
    made = admin.post(PRODUCTS, body).expect(201)
    assert made["inventory"] == NOTHING | {"stock": 8, "in_stock": True}
    item = Item(UUID(made["id"]))
    api.reserve([Item(item.product, None, 3)], "cart-1")
    changed = admin.patch(f"{PRODUCTS}/{made['id']}", {"inventory": {"stock": 6}}).expect(200)
    assert changed["inventory"]["stock"] == 6
    assert store.ledger(item) == [("adjustment", 8), ("reservation", -3), ("adjustment", 1)]
    assert store.level(item).on_hand == 9


def test_what_is_read_can_be_written_back_and_moves_nothing(store: Any, admin: Any) -> None:
    small, _ = store.forms("S", "L", quantity=10)
    api.receive([small])
    Level.update(backorder=True).execute()
    api.sell([Item(small.product, small.variant, 12)])
    where = f"{PRODUCTS}/{small.product}"
    assert shown(admin, small.product)["stock"] == -2
    admin.patch(where, {"inventory": {"stock": -2}}).expect(200)
    admin.patch(where, {"inventory": {}}).expect(200)
    assert len(store.ledger(small)) == 2


@pytest.mark.parametrize("wrong", [-1, "3", 1.5, None, 2_000_000_000])
def test_a_stock_that_cannot_be_is_refused(store: Any, admin: Any, wrong: Any) -> None:
    item = store.item()
    answer = admin.patch(f"{PRODUCTS}/{item.product}", {"inventory": {"stock": wrong}})
    assert answer.expect(422)["errors"][0]["field"] == "inventory.stock"


def test_the_sum_of_variants_is_not_set(store: Any, admin: Any) -> None:
    small, _ = store.forms("S", "L", quantity=10)
    api.receive([small])
    answer = admin.patch(f"{PRODUCTS}/{small.product}", {"inventory": {"stock": 99}})
    assert answer.expect(422)["errors"][0]["field"] == "inventory.stock"
    assert store.level(small).available == 10


def test_a_file_sets_the_stock_by_adjustments(store: Any, admin: Any) -> None:
    item = store.item(5, "LAMP")
    api.receive([item])
    text = "sku,name,price,inventory.stock\nLAMP,Lamp,9.99,12\nDESK,Desk,99.00,4\nBAD,Bad,1,-1\n"
    headers = {"Content-Type": "text/csv"}
    begun = admin.request("POST", "/api/v1/imports", body=text.encode(), headers=headers)
    where = f"/api/v1/imports/{begun.expect(202)['id']}"
    store.work()
    done = admin.get(where).expect(200)
    assert (done["status"], done["created"], done["updated"], done["errors"]) == (
        "completed", 1, 1, 1
    ), admin.get(f"{where}/errors").json  # fmt: skip
    assert store.ledger(item) == [("receipt", 5), ("adjustment", 7)]
    assert skus(admin, "inventory.stock=4") == ["DESK"]


def test_a_product_with_open_reservations_is_kept(store: Any, admin: Any) -> None:
    item = store.item(5)
    api.receive([item])
    api.reserve([item], "cart-1")
    where = f"{PRODUCTS}/{item.product}"
    refused = admin.delete(where).expect(409)
    assert (refused["addon"], refused["hook"]) == ("inventory", "products.refuse_deletion")
    assert "1 open reservation" in refused["detail"]
    api.release("cart-1")
    admin.delete(where).expect(204)


def test_the_stock_of_what_is_gone_is_shown_no_more_and_cannot_be_sold(
    store: Any, admin: Any
) -> None:
    item = store.item(5)
    api.receive([item])
    admin.delete(f"{PRODUCTS}/{item.product}").expect(204)
    store.work()
    assert admin.get("/api/v1/inventory/levels").expect(200)["count"] == 0
    assert admin.get("/api/v1/inventory/movements").expect(200)["count"] == 1
    assert not api.available([item])[0].enough
    assert Level.get_by_id(item.id).retired


def test_disabled_products_are_as_before_and_enabled_the_figures_are_back(
    store: Any, admin: Any
) -> None:
    item = store.item(5)
    before = admin.get(f"{PRODUCTS}/{item.product}").expect(200)
    api.receive([item])
    figures = shown(admin, item.product)
    store.switch("inventory", on=False)
    assert admin.get(f"{PRODUCTS}/{item.product}").expect(200) == {
        name: value for name, value in before.items() if name != "inventory"
    }
    assert admin.get(f"{PRODUCTS}?in_stock=true").status_code == 400
    assert admin.get("/api/v1/inventory/levels").status_code == 404
    store.switch("inventory", on=True)
    assert shown(admin, item.product) == figures
    assert api.reserve([item], "cart-1").status == "open"


def test_a_list_with_stock_stays_within_four_queries(store: Any, admin: Any) -> None:
    api.receive([store.item(5) for _ in range(20)])
    admin.get(f"{PRODUCTS}?page_size=1")
    with query_counter() as queries:
        found = admin.get(f"{PRODUCTS}?page_size=20&in_stock=true").expect(200)["results"]
    assert len(queries) <= 4, queries
    assert [item["inventory"]["stock"] for item in found] == [5] * 20
    assert ProductStock.select().count() == 20


def test_a_variant_shows_its_stock_and_it_is_set_there(store: Any, admin: Any) -> None:
    small, large = store.forms("S", "L", quantity=10)
    api.receive([small])
    where = f"/api/v1/variants/{large.variant}"
    assert admin.get(where).expect(200)["inventory"] == NOTHING
    set_there = admin.patch(where, {"inventory": {"stock": 4}}).expect(200)
    assert set_there["inventory"]["stock"] == 4
    listed = admin.get(f"/api/v1/variants?product={small.product}&low_stock=true").expect(200)
    assert [item["id"] for item in listed["results"]] == [str(large.variant)]
    assert shown(admin, small.product)["stock"] == 14


def test_the_stock_of_a_variant_that_is_gone_counts_no_more(store: Any, admin: Any) -> None:
    small, large = store.forms("S", "L", quantity=10)
    api.receive([small, large])
    api.reserve([Item(large.product, large.variant, 2)], "cart-1")
    admin.delete(f"/api/v1/variants/{large.variant}").expect(204)
    store.work()
    assert shown(admin, small.product)["stock"] == 10
    assert api.release("cart-1").status == "released"
    assert store.level(large).available == 10
    assert shown(admin, small.product)["stock"] == 10


def test_a_restored_product_has_its_stock_again(store: Any, admin: Any) -> None:
    item = store.item(5)
    api.receive([item])
    admin.delete(f"{PRODUCTS}/{item.product}").expect(204)
    store.work()
    admin.post(f"{PRODUCTS}/{item.product}/restore").expect(200)
    store.work()
    assert shown(admin, item.product)["stock"] == 5
    assert api.available([item])[0].enough


def test_short_names_are_those_of_lists(store: Any, admin: Any) -> None:
    api.receive([store.item(5)])
    schema = admin.get("/api/schema").expect(200)
    names = {one["name"] for one in schema["paths"]["/api/v1/products"]["get"]["parameters"]}
    assert {"in_stock", "low_stock", "inventory.stock__gte"} <= names


def refused_stock(answer: Any, field: str = "inventory.stock") -> None:
    (error,) = answer.expect(403)["errors"]
    told = "'inventory.stock' needs the permission 'inventory.write'."
    assert (error["field"], error["message"]) == (field, told)


def test_who_may_write_products_alone_sets_no_stock(store: Any, key_for: Any) -> None:
    item = store.item(5)
    writer = key_for("products.write", "products.write_all")
    where = f"{PRODUCTS}/{item.product}"
    body = {"name": "Lamp", "sku": "LAMP", "price": "9.99"}
    refused_stock(writer.post(PRODUCTS, body | {"inventory": {"stock": 9}}))
    refused_stock(writer.patch(where, {"inventory": {"stock": 9}}))
    refused_stock(writer.put(where, body | {"inventory": {"stock": 9}}))
    assert writer.put(where, body).expect(200)["inventory"] == NOTHING
    assert store.ledger(item) == []


def test_many_at_once_set_no_stock_without_its_permission(store: Any, key_for: Any) -> None:
    item, lamp = store.item(5, "P-1"), {"name": "Lamp", "sku": "LAMP", "price": "9.99"}
    rows = [{"id": str(item.product), "inventory": {"stock": 9}}, lamp]
    writer = key_for("products.write", "products.write_all")
    done = writer.post(f"{PRODUCTS}/bulk", {"products": rows, "atomic": False}).expect(200)
    assert (done["created"], done["refused"]) == (1, 1)
    assert done["rows"][0]["errors"][0]["field"] == "inventory.stock"
    assert store.ledger(item) == []


def test_a_file_sets_no_stock_without_its_permission(store: Any, key_for: Any) -> None:
    item = store.item(5, "LAMP")
    sender = key_for("imports.read", "imports.write", "imports.all")
    text = b"sku,name,price,Inventory.Stock\nLAMP,Lamp,9.99,12\n"
    begun = sender.request(
        "POST", "/api/v1/imports", body=text, headers={"Content-Type": "text/csv"}
    )
    where = f"/api/v1/imports/{begun.expect(202)['id']}"
    with pytest.raises(AssertionError, match="import_file failed"):
        store.work()
    done = sender.get(where).expect(200)
    told = "The column 'inventory.stock' needs the permission 'inventory.write'."
    assert (done["status"], done["message"]) == ("failed", told)
    assert store.ledger(item) == []


def test_the_ledger_tells_who_set_the_stock(store: Any, client: Any) -> None:
    item, subject = store.item(5, "LAMP"), str(uuid7())
    who = client.as_user("admin", subject=subject)
    who.patch(f"{PRODUCTS}/{item.product}", {"inventory": {"stock": 3}}).expect(200)
    rows = [{"sku": "LAMP", "inventory": {"stock": 4}}]
    who.post(f"{PRODUCTS}/bulk", {"products": rows}).expect(200)
    text = b"sku,name,price,inventory.stock\nLAMP,Lamp,9.99,5\n"
    headers = {"Content-Type": "text/csv"}
    who.request("POST", "/api/v1/imports", body=text, headers=headers).expect(202)
    store.work()
    actors = [row.actor for row in Movement.select().where(Movement.item == item.id)]
    assert actors == [subject] * 3


def test_the_documentation_tells_who_may_write_stock(store: Any, admin: Any) -> None:
    found = admin.get("/api/schema").expect(200)["components"]["schemas"]
    stock = found["inventory.Stock"]["properties"]["stock"]
    assert stock["x-write-permission"] == "inventory.write"


def test_a_first_movement_beside_a_product_that_is_written_is_no_ring(
    store: Any, at_once: Any
) -> None:
    lamp, written = store.item(5, "LAMP"), threading.Event()

    def write() -> None:
        with transaction():
            Product.find(lamp.product, lock=True)
            written.set()
            time.sleep(1.5)
            ProductStock.write(lamp.product, stock=7)

    def move() -> Any:
        written.wait(10)
        return api.receive([lamp])

    assert [type(one) for one in at_once(write, move)] == [type(None), list]


def test_a_first_movement_beside_another_sku_is_no_ring(store: Any, at_once: Any) -> None:
    lamp, written = store.item(5, "LAMP"), threading.Event()

    def rename() -> None:
        with transaction():
            held = Product.find(lamp.product, lock=True)
            catalogue.change_product(held, {"sku": "LAMP-2"})
            written.set()
            time.sleep(1)
            ProductStock.write(lamp.product, stock=7)

    def move() -> Any:
        written.wait(10)
        time.sleep(0.3)
        return api.receive([lamp])

    assert [type(one) for one in at_once(rename, move)] == [type(None), list]
    assert store.level(lamp).available == 12
