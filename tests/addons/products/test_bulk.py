"""Many products in one request."""

from typing import Any

import pytest

from bodega_accounts import sessions
from bodega_accounts.models import Account, Organization
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk import transaction
from bodega_sdk.testing.client import Client

PRODUCTS = "/api/v1/products"


def row(sku: str, **members: Any) -> dict[str, Any]:
    return {"name": f"Product {sku}", "sku": sku, "price": "10.00"} | members


def bulk(who: Any, *rows: Any, atomic: bool = True, status: int = 200) -> Any:
    return who.post(f"{PRODUCTS}/bulk", json={"products": list(rows), "atomic": atomic}).expect(
        status
    )


def statuses(found: dict[str, Any]) -> list[str]:
    return [item["status"] for item in found["rows"]]


def test_many_are_made_and_changed_at_once(admin: Any) -> None:
    there = admin.post(PRODUCTS, json=row("a", tags=["Old"])).expect(201)
    other = admin.post(PRODUCTS, json=row("b")).expect(201)
    found = bulk(
        admin,
        row("new", tags=["Red"], attributes={"x": 1}),
        {"sku": "A", "price": "11.00"},
        {"id": other["id"], "sku": "renamed"},
        {"sku": "NEW", "price": "12.00"},
    )
    assert statuses(found) == ["created", "updated", "updated", "updated"]
    assert (found["created"], found["updated"], found["refused"]) == (1, 3, 0)
    changed = admin.get(f"{PRODUCTS}/{there['id']}").expect(200)
    assert (changed["price"], changed["tags"], changed["sku"]) == ("11.00", ["Old"], "A")
    assert admin.get(f"{PRODUCTS}/renamed").expect(200)["id"] == other["id"]
    new = admin.get(f"{PRODUCTS}/new").expect(200)
    assert (new["price"], new["tags"], new["id"]) == ("12.00", ["Red"], found["rows"][0]["id"])


def test_one_that_is_refused_keeps_all_back_unless_best_effort_is_asked_for(admin: Any) -> None:
    rows = (
        row("a"),
        row("b", price="free"),
        {"id": "01a1fd7c-0000-7000-8000-000000000000", "name": "x"},
        {"id": 5}, {"sku": 5}, {}, row("c", nothing=1), row("d", slug="a"), row("e", slug="a"),
    )  # fmt: skip
    refused = bulk(admin, *rows, status=422)
    fields = {item["field"].split(".")[1] for item in refused["errors"]}
    assert fields == {"1", "2", "3", "4", "5", "6", "8"}
    assert "products.1.price" in {item["field"] for item in refused["errors"]}
    assert Product.select().count() == 0
    found = bulk(admin, *rows, atomic=False)
    assert (found["created"], found["refused"]) == (2, 7)
    assert found["rows"][1]["errors"][0]["field"] == "price"
    assert admin.get(PRODUCTS).json["count"] == 2


@pytest.mark.parametrize("products", [[], [5], ["x"], {}, None, [{}] * 1001])
def test_what_is_no_list_of_products_is_refused(admin: Any, products: Any) -> None:
    found = admin.post(f"{PRODUCTS}/bulk", json={"products": products}).expect(422)
    assert found["errors"][0]["field"].startswith("products")


def test_a_thousand_are_made_at_once(admin: Any) -> None:
    found = bulk(admin, *(row(f"S{number}") for number in range(1000)))
    assert found["created"] == 1000
    assert admin.get(PRODUCTS).json["count"] == 1000


def test_who_may_not_see_the_cost_cannot_write_it_this_way_either(admin: Any, client: Any) -> None:
    made = admin.post(PRODUCTS, json=row("a")).expect(201)
    acme = Organization.create(name="Acme")
    account = Account.create(
        email="v@shop.example", role="vendor", password="-", preferences={}, organization=acme
    )
    with transaction():
        pair = sessions.begin(account, "127.0.0.1", "test")
    vendor = Client(client.gate, client.shop, pair["access"])
    found = bulk(vendor, row("b", cost="1.00"), {"sku": "a", "name": "x"}, row("c"), atomic=False)
    assert statuses(found) == ["refused", "refused", "created"]
    assert found["rows"][0]["errors"][0]["field"] == "cost"
    assert "not yours" in found["rows"][1]["errors"][0]["message"]
    assert vendor.get(f"{PRODUCTS}/c").expect(200)["organization"] == str(acme.id)
    assert made["name"] == admin.get(f"{PRODUCTS}/a").expect(200)["name"]
    assert bulk(admin, {"sku": "a", "cost": "1.00"})["updated"] == 1


def test_products_are_switched_by_id_and_by_filter(admin: Any, client: Any) -> None:
    ids = [admin.post(PRODUCTS, json=row(sku)).expect(201)["id"] for sku in ("a", "b", "c")]
    unknown = "01a1fd7c-0000-7000-8000-000000000000"
    body = {"ids": [ids[0], ids[1], unknown]}
    off = admin.post(f"{PRODUCTS}/bulk/deactivate", json=body).expect(200)
    assert off == {"count": 2, "missing": [unknown]}
    assert client.get(PRODUCTS).json["count"] == 1
    assert admin.post(f"{PRODUCTS}/bulk/deactivate", json=body).expect(200)["count"] == 0
    on = admin.post(f"{PRODUCTS}/bulk/activate", json={"filter": {"is_active": "false"}})
    assert on.expect(200)["count"] == 2
    assert client.get(PRODUCTS).json["count"] == 3


def test_products_are_deleted_by_id_and_with_a_confirmation_by_filter(admin: Any) -> None:
    ids = [
        admin.post(PRODUCTS, json=row(sku, is_featured=sku != "c")).expect(201)["id"]
        for sku in ("a", "b", "c")
    ]
    assert admin.post(f"{PRODUCTS}/bulk/delete", json={"ids": ids[:1]}).expect(200)["count"] == 1
    body: dict[str, Any] = {"filter": {"featured": "true"}}
    asked = admin.post(f"{PRODUCTS}/bulk/delete", json=body).expect(409)
    assert asked["count"] == 1
    body["confirm"] = asked["confirm"]
    assert admin.post(f"{PRODUCTS}/bulk/delete", json=body).expect(200)["count"] == 1
    assert [item["sku"] for item in admin.get(PRODUCTS).json["results"]] == ["c"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"), ({"ids": []}, "ids"), ({"ids": ["x"]}, "ids.0"), ({"filter": {}}, "filter"),
        ({"ids": ["01a1fd7c-0000-7000-8000-000000000000"], "filter": {"sku": "x"}}, "ids"),
        ({"filter": {"nothing": "1"}}, "filter.nothing"),
        ({"filter": {"price_min": "x"}}, "price_min"), ({"filter": {"sku": 5}}, "filter.sku.value"),
    ],
)  # fmt: skip
def test_a_bad_selection_is_refused(admin: Any, body: Any, field: str) -> None:
    for action in ("activate", "deactivate", "delete"):
        answer = admin.post(f"{PRODUCTS}/bulk/{action}", json=body)
        assert answer.status_code in (400, 422), answer
        assert answer.json["errors"][0]["field"] == field


def test_a_vendor_reaches_own_products_only(admin: Any, client: Any) -> None:
    made = admin.post(PRODUCTS, json=row("a")).expect(201)
    nobody = client.as_user("vendor")
    assert "no organization" in bulk(nobody, row("b"), status=403)["detail"]
    for path, body in (("activate", {"ids": [made["id"]]}), ("delete", {"ids": [made["id"]]})):
        assert nobody.post(f"{PRODUCTS}/bulk/{path}", json=body).status_code == 403
    assert nobody.delete(PRODUCTS).status_code == 403
    assert client.post(f"{PRODUCTS}/bulk", json={"products": [row("b")]}).status_code == 401


def test_texts_are_written_as_they_are_whatever_a_copy_makes_of_their_characters(
    shop: Any,
) -> None:
    texts = [
        "plain",
        "a\tb",
        "a\nb",
        "a\rb",
        "\\",
        "\\N",
        "\\.",
        "\\\\t",
        "a \"b\", 'c'",
        "",
        "\x0b\x1f",
    ]
    rows = [ProductRow(f"T-{n}", {"name": f"T {n}", "price_minor": n, "description": text})
            for n, text in enumerate(texts)]  # fmt: skip
    with transaction():
        upsert(rows[:1], "test")
        # All plain, and others among them.
        upsert(rows, "test")
    found = Product.select(Product.sku, Product.description, Product.weight_grams)
    assert {row.sku: row.description for row in found} == {
        f"T-{n}": text for n, text in enumerate(texts)
    }
    assert {row.weight_grams for row in found} == {None}
