"""Products through the API."""

from typing import Any

import pytest


@pytest.fixture
def lamp(admin: Any) -> dict[str, Any]:
    answer = admin.post("/api/v1/products", {"name": "Café Lamp", "sku": "L-1", "price": "29.99"})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_product_is_created_read_changed_and_deleted(admin: Any, lamp: dict[str, Any]) -> None:
    path = f"/api/v1/products/{lamp['id']}"
    assert admin.get(path).json == lamp
    changed = admin.patch(path, {"price": "31.00"})
    assert changed.json["price"] == "31.00"
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


def test_the_sku_is_unique_without_regard_to_case(admin: Any, lamp: dict[str, Any]) -> None:
    answer = admin.post("/api/v1/products", {"name": "Other", "sku": "l-1", "price": "1"})
    assert answer.status_code == 409
    assert answer.json["errors"][0]["field"] == "sku"


def test_a_search_finds_words_without_regard_to_accents(client: Any, lamp: dict[str, Any]) -> None:
    assert client.get("/api/v1/products?search=lamp%20CAFE").json["count"] == 1
    assert client.get("/api/v1/products?search=kettle").json["count"] == 0


def test_the_count_follows_every_write(admin: Any, lamp: dict[str, Any]) -> None:
    assert admin.get("/api/v1/products").json["count"] == 1
    admin.post("/api/v1/products", {"name": "Other", "sku": "X", "price": "1"})
    assert admin.get("/api/v1/products").json["count"] == 2
    admin.delete(f"/api/v1/products/{lamp['id']}")
    assert admin.get("/api/v1/products").json["count"] == 1


def test_inactive_products_are_shown_to_those_who_may_see_them(
    admin: Any, client: Any, lamp: dict[str, Any]
) -> None:
    path = f"/api/v1/products/{lamp['id']}"
    admin.patch(path, {"is_active": False})
    assert client.get(path).status_code == 404
    assert admin.get(path).status_code == 200


def test_a_write_with_an_outdated_etag_is_refused(admin: Any, lamp: dict[str, Any]) -> None:
    path = f"/api/v1/products/{lamp['id']}"
    tag = admin.get(path).headers["ETag"]
    assert admin.patch(path, {"name": "New"}, headers={"If-Match": tag}).status_code == 200
    again = admin.patch(path, {"name": "Newer"}, headers={"If-Match": tag})
    assert again.status_code == 412


def test_cursors_walk_through_all_products(admin: Any) -> None:
    for number in range(5):
        data = {"name": f"P{number}", "sku": f"S{number}", "price": "1.00"}
        assert admin.post("/api/v1/products", data).status_code == 201
    seen: list[str] = []
    url = "/api/v1/products?page_size=2&ordering=price&cursor="
    while url:
        page = admin.get(url.removeprefix("http://falconframework.org")).json
        seen += [item["sku"] for item in page["results"]]
        url = page["next"]
    assert sorted(seen) == [f"S{number}" for number in range(5)]
