"""Variants: their SKUs, options and prices."""

import threading
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from bodega_products import api
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Variant

PRODUCTS, VARIANTS = "/api/v1/products", "/api/v1/variants"


@pytest.fixture
def shirt(admin: Any) -> dict[str, Any]:
    """A product."""
    body = {"name": "Shirt", "sku": "S-1", "price": "10.00"}
    found: dict[str, Any] = admin.post(PRODUCTS, json=body).expect(201)
    return found


def make(who: Any, product: dict[str, Any], **members: Any) -> dict[str, Any]:
    body = {"product": product["id"]} | members
    found: dict[str, Any] = who.post(VARIANTS, json=body).expect(201)
    return found


def test_a_variant_costs_what_its_product_does_unless_it_has_a_price(
    admin: Any, client: Any, shirt: dict[str, Any]
) -> None:
    small = make(admin, shirt, options={"Size": "S"})
    large = make(admin, shirt, options={"Size": "L"}, price="12.00", attributes={"cm": 80})
    assert (small["price"], small["own_price"]) == ("10.00", False)
    assert (large["price"], large["own_price"]) == ("12.00", True)
    admin.patch(f"{PRODUCTS}/S-1", json={"price": "11.00"}).expect(200)
    shown = client.get(f"{PRODUCTS}/S-1").expect(200)["variants"]
    assert [(item["price"], item["position"]) for item in shown] == [("11.00", 1), ("12.00", 2)]
    assert shown[1]["attributes"] == {"cm": 80}
    again = admin.patch(f"{VARIANTS}/{large['id']}", json={"price": None}).expect(200)
    assert (again["price"], again["own_price"]) == ("11.00", False)
    facts = api.variants_of([UUID(small["id"]), UUID(large["id"])])
    assert {str(item.price) for item in facts.values()} == {"11.00"}


def test_variants_are_listed_found_and_included(
    admin: Any, client: Any, shirt: dict[str, Any]
) -> None:
    made = make(admin, shirt, sku="S-1-red", options={"Color": "red"})
    listed = client.get(f"{VARIANTS}?product={shirt['id']}&ordering=position").expect(200)
    assert [item["id"] for item in listed["results"]] == [made["id"]]
    assert client.get(f"{VARIANTS}/s-1-RED").expect(200) == made
    assert client.get(f"{PRODUCTS}/s-1-RED").expect(200)["id"] == shirt["id"]
    with_them = client.get(f"{PRODUCTS}/S-1?include=variants").expect(200)
    assert with_them["variants"][0]["sku"] == "S-1-red"
    admin.patch(f"{PRODUCTS}/S-1", json={"is_active": False}).expect(200)
    assert client.get(VARIANTS).expect(200)["count"] == 0
    assert client.get(f"{VARIANTS}/{made['id']}").status_code == 404


def test_a_sku_belongs_to_one_product_or_variant(admin: Any, shirt: dict[str, Any]) -> None:
    other = admin.post(PRODUCTS, json={"name": "x", "sku": "X-1", "price": "1"}).expect(201)
    own = make(admin, shirt, sku="s-1", options={"Size": "S"})
    make(admin, shirt, sku="S-1-L", options={"Size": "L"})
    for sku in ("x-1", "s-1-l"):
        body = {"product": shirt["id"], "sku": sku, "options": {"Size": "M"}}
        assert admin.post(VARIANTS, json=body).expect(409)["errors"][0]["field"] == "sku"
        found = admin.patch(f"{VARIANTS}/{own['id']}", json={"sku": sku}).expect(409)
        assert found["errors"][0]["field"] == "sku"
    for sku in ("s-1-l", "S-1"):
        where = f"{PRODUCTS}/{other['id']}"
        assert admin.patch(where, json={"sku": sku}).expect(409)["errors"][0]["field"] == "sku"
    body = {"name": "x", "sku": "s-1-L", "price": "1"}
    assert admin.post(PRODUCTS, json=body).status_code == 409
    # The product itself may take the SKU of its own variant, and give its own up to one.
    admin.patch(f"{PRODUCTS}/{shirt['id']}", json={"sku": "s-1-l"}).expect(200)
    assert admin.get(f"{VARIANTS}/S-1").expect(200)["id"] == own["id"]
    assert admin.post(PRODUCTS, json=body | {"sku": "S-1"}).status_code == 409


def test_no_two_variants_of_a_product_have_the_same_options(
    admin: Any, shirt: dict[str, Any]
) -> None:
    make(admin, shirt, options={"Size": "S", "Color": "Red"})
    other = make(admin, shirt, options={})
    same = {"color": "RED", "size": "s"}
    refused = admin.post(VARIANTS, json={"product": shirt["id"], "options": same}).expect(409)
    assert refused["errors"][0]["field"] == "options"
    refused = admin.patch(f"{VARIANTS}/{other['id']}", json={"options": same}).expect(409)
    assert refused["errors"][0]["field"] == "options"
    assert admin.post(VARIANTS, json={"product": shirt["id"]}).status_code == 409
    body = {"product": shirt["id"], "options": {"Size": "M"}, "position": 1}
    assert admin.post(VARIANTS, json=body).expect(409)["errors"][0]["field"] == "position"
    make(admin, shirt, options={"Size": "last"}, position=2**31 - 1)
    body = {"product": shirt["id"], "options": {"Size": "XXL"}}
    assert admin.post(VARIANTS, json=body).expect(409)["errors"][0]["field"] == "position"
    admin.post(VARIANTS, json=body | {"position": 70}).expect(201)


def test_a_variant_stays_with_its_product(admin: Any, shirt: dict[str, Any]) -> None:
    other = admin.post(PRODUCTS, json={"name": "x", "sku": "X-1", "price": "1"}).expect(201)
    made = make(admin, shirt)
    refused = admin.patch(f"{VARIANTS}/{made['id']}", json={"product": other["id"]}).expect(422)
    assert refused["errors"][0]["field"] == "product"
    admin.delete(f"{VARIANTS}/{made['id']}").expect(204)
    assert admin.get(f"{VARIANTS}/{made['id']}").status_code == 404
    body = {"product": "01a1fd7c-0000-7000-8000-000000000000"}
    assert admin.post(VARIANTS, json=body).expect(422)["errors"][0]["field"] == "product"


def test_a_vendor_writes_variants_of_own_products_only(
    admin: Any, client: Any, shirt: dict[str, Any]
) -> None:
    made, vendor = make(admin, shirt), client.as_user("vendor")
    where = f"{VARIANTS}/{made['id']}"
    assert vendor.post(VARIANTS, json={"product": shirt["id"]}).status_code == 403
    assert vendor.patch(where, json={"sku": "x"}).status_code == 403
    assert vendor.delete(where).status_code == 403
    assert client.delete(where).status_code == 401


def variant(sku: str, **options: str) -> dict[str, Any]:
    return {"sku": sku, "options": options, "price_minor": 100}


def test_an_import_leaves_variants_that_it_names_again_the_same_ones(shop: Any) -> None:
    def rows(*variants: dict[str, Any]) -> list[ProductRow]:
        return [ProductRow("P", {"name": "P", "price_minor": 1}, list(variants))]

    def there() -> dict[str, tuple[UUID, int]]:
        return {row.sku: (row.id, row.position) for row in Variant.select()}

    upsert(rows(variant("a", size="S"), variant("b", size="M"), variant("c", size="L")), "test")
    before = there()
    upsert(rows(variant("c", size="L"), variant("x", size="M"), variant("d", size="XL")), "test")
    after = there()
    assert after["c"] == (before["c"][0], 1)
    assert after["x"] == (before["b"][0], 2)
    assert after.keys() == {"c", "x", "d"}
    upsert(rows(variant("x", size="L"), variant("c", size="M")), "test")
    assert {name: key for name, (key, _) in there().items()} == {
        "x": before["c"][0], "c": before["b"][0],
    }  # fmt: skip


def test_an_import_refuses_a_sku_that_something_else_has(admin: Any, shirt: dict[str, Any]) -> None:
    make(admin, shirt, sku="S-1-L")

    def row(sku: str, *variants: dict[str, Any]) -> ProductRow:
        return ProductRow(sku, {"name": sku, "price_minor": 1}, list(variants))

    outcomes = upsert(
        [
            row("s-1-l"),
            row("A", variant("s-1", size="S")),
            row("B", variant("S-1-l", size="S")),
            row("C", variant("c1", size="S"), variant("C1", size="M")),
            row("D", variant("d1", size="S"), variant("d2", size="s")),
            row("E", variant("F", size="S")),
            row("F", variant("f", size="S")),
            row("G", variant("g1", size="S"), variant("", size="M"), variant("", size="L")),
            row("H", variant("G1", size="S")),
        ],
        "test",
    )
    assert [(item.status, item.column) for item in outcomes] == [
        ("refused", "sku"), ("refused", "sku"), ("refused", "sku"), ("refused", "sku"),
        ("refused", "options"), ("refused", "sku"), ("created", ""), ("created", ""),
        ("refused", "sku"),
    ]  # fmt: skip


def test_a_product_and_a_variant_that_want_one_sku_at_once_do_not_both_get_it(
    admin: Any, shirt: dict[str, Any]
) -> None:
    taken: list[int] = []
    barrier = threading.Barrier(2)

    def post(path: str, body: dict[str, Any]) -> None:
        barrier.wait(10)
        taken.append(admin.post(path, json=body).status_code)

    for turn in range(6):
        sku = f"both-{turn}"
        product = {"name": sku, "sku": sku, "price": "1"}
        body = {"product": shirt["id"], "sku": sku, "options": {"n": str(turn)}}
        threads = [
            threading.Thread(target=partial(post, PRODUCTS, product)),
            threading.Thread(target=partial(post, VARIANTS, body)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sorted(taken) == [201] * 6 + [409] * 6
