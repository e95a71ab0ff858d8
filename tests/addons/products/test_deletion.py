"""Deleted products are gone for everybody, but their history stays and they can come back."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from bodega_products import api
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk import newest_offset, now, read_log

PRODUCTS = "/api/v1/products"


def make(who: Any, sku: str, **members: Any) -> dict[str, Any]:
    data = {"name": f"Product {sku}", "sku": sku, "price": "10.00"} | members
    found: dict[str, Any] = who.post(PRODUCTS, json=data).expect(201)
    return found


def events(since: int) -> list[tuple[str, Any]]:
    return [(item.name, item.data) for item in read_log(since, 100)]


def test_a_deleted_product_is_gone_for_everybody(admin: Any, client: Any) -> None:
    made = make(admin, "L-1", tags=["Red"])
    where = f"{PRODUCTS}/{made['id']}"
    admin.delete(where).expect(204)
    for who in (admin, client):
        for name in (made["id"], made["slug"], "L-1"):
            assert who.get(f"{PRODUCTS}/{name}").status_code == 404
        assert who.get(PRODUCTS).expect(200)["count"] == 0
    assert admin.patch(where, json={"name": "x"}).status_code == 404
    assert admin.delete(where).status_code == 404
    row = Product.get_by_id(made["id"])
    assert row.deleted_at is not None
    assert api.products_of([row.id]) == api.facts_of([row.id]) == {}
    assert admin.get("/api/v1/tags").expect(200)["results"][0]["product_count"] == 0
    assert client.get("/api/v1/tags").expect(200)["results"] == []


def test_staff_list_what_was_deleted(admin: Any, client: Any) -> None:
    make(admin, "stays")
    admin.delete(f"{PRODUCTS}/{make(admin, 'goes')['id']}").expect(204)
    found = admin.get(f"{PRODUCTS}?deleted=true").expect(200)
    assert [item["sku"] for item in found["results"]] == ["goes"]
    assert client.get(f"{PRODUCTS}?deleted=true").status_code == 401
    assert client.as_user("vendor").get(f"{PRODUCTS}?deleted=true").status_code == 403


def test_a_restored_product_is_as_it_was(admin: Any) -> None:
    made = make(admin, "L-1", tags=["Red"], attributes={"a": 1})
    size = {"product": made["id"], "sku": "L-1-s", "options": {"Size": "S"}}
    admin.post("/api/v1/variants", json=size).expect(201)
    where = f"{PRODUCTS}/{made['id']}"
    before = admin.get(where).expect(200)
    admin.delete(where).expect(204)
    restored = admin.post(f"{where}/restore").expect(200)
    assert restored | {"updated_at": 0} == before | {"updated_at": 0}
    assert admin.get(f"{PRODUCTS}/l-1-S").expect(200)["id"] == made["id"]
    assert admin.post(f"{where}/restore").status_code == 409
    unknown = "01a1fd7c-0000-7000-8000-000000000000"
    assert admin.post(f"{PRODUCTS}/{unknown}/restore").status_code == 404


def test_the_sku_and_the_slug_of_a_deleted_product_are_free(admin: Any) -> None:
    first = make(admin, "L-1", slug="lamp")
    admin.patch(f"{PRODUCTS}/{first['id']}", json={"slug": "better-lamp"}).expect(200)
    admin.delete(f"{PRODUCTS}/{first['id']}").expect(204)
    assert admin.get(f"{PRODUCTS}/lamp").status_code == 404
    second = make(admin, "l-1", slug="better-lamp")
    refused = admin.post(f"{PRODUCTS}/{first['id']}/restore").expect(409)
    assert refused["errors"][0]["field"] == "sku"
    admin.patch(f"{PRODUCTS}/{second['id']}", json={"sku": "L-2"}).expect(200)
    restored = admin.post(f"{PRODUCTS}/{first['id']}/restore").expect(200)
    assert (restored["sku"], restored["slug"]) == ("L-1", "product-l-1")


def test_a_variant_whose_sku_went_elsewhere_keeps_its_product_deleted(admin: Any) -> None:
    made = make(admin, "L-1")
    admin.post("/api/v1/variants", json={"product": made["id"], "sku": "L-1-s"}).expect(201)
    admin.delete(f"{PRODUCTS}/{made['id']}").expect(204)
    make(admin, "l-1-S")
    refused = admin.post(f"{PRODUCTS}/{made['id']}/restore").expect(409)
    assert refused["errors"][0]["found"] == "L-1-s"


def test_deleting_and_restoring_are_told(admin: Any, shop: Any) -> None:
    where = f"{PRODUCTS}/{make(admin, 'L-1')['id']}"
    since = _relayed(shop)
    admin.delete(where).expect(204)
    admin.post(f"{where}/restore").expect(200)
    _relayed(shop)
    assert [name for name, _ in events(since)] == ["product.deleted", "product.restored"]


def test_each_change_of_a_product_is_told_with_its_id(admin: Any, shop: Any) -> None:
    key, other = (make(admin, sku)["id"] for sku in ("L-1", "L-2"))
    where, category = f"{PRODUCTS}/{key}", admin.post("/api/v1/categories", json={"name": "Lamps"})
    rooms = f"/api/v1/categories/{category.expect(201)['id']}/translations/de"
    since = _relayed(shop)
    for path, body in (
        (f"{where}/prices/EUR", {"price": "9.00"}),
        (f"{where}/translations/de", {"name": "Lampe"}),
        (rooms, {"name": "Lampen"}),
    ):
        admin.put(path, json=body).expect(200)
        admin.delete(path).expect(204)
    admin.post(f"{PRODUCTS}/bulk/deactivate", json={"ids": [key, other]}).expect(200)
    admin.post(f"{PRODUCTS}/bulk/deactivate", json={"ids": [key, other]}).expect(200)
    upsert([ProductRow("L-2", {"name": "Lamp"}), ProductRow("L-3", {"name": "Lamp"})], "test")
    _relayed(shop)
    *one_by_one, switched, written = events(since)
    told = [(name, data["id"]) for name, data in one_by_one]
    assert told == [("product.updated", key)] * 4 + [
        ("category.updated", category.json["id"])
    ] * 2  # fmt: skip
    assert switched[1]["ids"] == sorted([key, other])
    assert (switched[1]["created"], switched[1]["updated"]) == (0, 2)
    new = str(Product.get(sku="L-3").id)
    assert written == (
        "products.changed", {"created": 1, "updated": 1, "source": "test", "ids": [other, new]}
    )  # fmt: skip


def _relayed(shop: Any) -> int:
    from bodega.database import outbox

    outbox.relay(shop.databases.shop)
    return newest_offset()


def test_deleting_all_needs_a_confirmation_for_exactly_these(admin: Any, shop: Any) -> None:
    for sku in ("a", "b", "c"):
        make(admin, sku, is_featured=sku == "a")
    asked = admin.delete(PRODUCTS).expect(409)
    assert (asked["count"], asked["errors"][0]["field"]) == (3, "confirm")
    assert admin.get(PRODUCTS).json["count"] == 3
    token = asked["confirm"]
    assert admin.delete(f"{PRODUCTS}?featured=true&confirm={token}").expect(409)["count"] == 1
    make(admin, "d")
    again = admin.delete(f"{PRODUCTS}?confirm={token}").expect(409)
    assert again["count"] == 4
    assert "other products" in again["detail"]
    since = _relayed(shop)
    done = admin.delete(f"{PRODUCTS}?confirm={again['confirm']}").expect(200)
    assert done["count"] == 4
    assert admin.get(PRODUCTS).json["count"] == 0
    _relayed(shop)
    told = events(since)
    assert {name for name, _ in told} == {"product.deleted"}
    assert sorted(data["sku"] for _, data in told) == ["a", "b", "c", "d"]


def test_of_thousands_that_are_deleted_at_once_a_job_tells(
    admin: Any, shop: Any, worker: Any
) -> None:
    for part in range(3):
        rows = [ProductRow(f"{part}-{n}", {"name": "x", "price_minor": 1}) for n in range(800)]
        upsert(rows, "test")
    worker.run()
    since = _relayed(shop)
    token = admin.delete(PRODUCTS).expect(409)["confirm"]
    assert admin.delete(f"{PRODUCTS}?confirm={token}").expect(200)["count"] == 2400
    back = Product.get(Product.sku == "1-5").id
    admin.post(f"{PRODUCTS}/{back}/restore").expect(200)
    worker.run()
    _relayed(shop)
    told = [item for item in read_log(since, 5000) if item.name.startswith("product.")]
    deleted = {item.key for item in told if item.name == "product.deleted"}
    assert len(told) == 2400
    assert len(deleted) == 2399
    assert [item.key for item in told if item.name == "product.restored"] == [str(back)]
    assert str(back) not in deleted


def test_what_filters_find_is_deleted_alone(admin: Any) -> None:
    for sku in ("a", "b"):
        make(admin, sku, is_featured=sku == "a")
    token = admin.delete(f"{PRODUCTS}?featured=true").expect(409)["confirm"]
    admin.delete(f"{PRODUCTS}?featured=true&confirm={token}").expect(200)
    assert [item["sku"] for item in admin.get(PRODUCTS).json["results"]] == ["b"]


def test_a_confirmation_is_good_for_five_minutes_and_its_asker_only(
    admin: Any, client: Any
) -> None:
    make(admin, "a")
    token = admin.delete(PRODUCTS).expect(409)["confirm"]
    assert client.as_user("staff").delete(f"{PRODUCTS}?confirm={token}").status_code == 409
    for wrong in ("", "x", token[:-2], token + "AA", "A" * 500, "é"):
        assert admin.delete(PRODUCTS, params={"confirm": wrong}).status_code == 409
    with time_machine.travel(now() + timedelta(minutes=5, seconds=2), tick=False):
        late = client.as_admin()
        assert late.delete(f"{PRODUCTS}?confirm={token}").status_code == 409
    admin.delete(f"{PRODUCTS}?confirm={token}").expect(200)


def test_a_reason_to_keep_one_keeps_all(admin: Any, addon: Any) -> None:
    for sku in ("a", "b"):
        make(admin, sku)
    addon(
        "keeper", "@hookimpl\ndef refuse_deletion(products): return f'{len(products)} of them.'\n"
    )
    token = admin.delete(PRODUCTS).expect(409)["confirm"]
    refused = admin.delete(f"{PRODUCTS}?confirm={token}").expect(409)
    assert refused["detail"] == "keeper forbids it: 2 of them."
    assert admin.get(PRODUCTS).json["count"] == 2


@pytest.mark.parametrize("query", ["deleted=true", "nothing=1", "price_min=x"])
def test_a_deletion_with_a_bad_filter_deletes_nothing(admin: Any, query: str) -> None:
    make(admin, "a")
    assert admin.delete(f"{PRODUCTS}?{query}").status_code in (400, 422)
    assert admin.get(PRODUCTS).json["count"] == 1
