"""An addon may search in the place of the catalogue: the hook ``search_products``."""

from typing import Any

import pytest

# A search engine of its own: it knows nothing but SKUs.
ELSEWHERE = """
from bodega_products.api import SearchAnswer, items_of_skus
@hookimpl
def search_products(query):
    if query.text.startswith("local:"):
        return None
    found = items_of_skus(query.words)
    known = [word for word in query.words if word in found]
    hits = [(found[word][0], 1 / place) for place, word in enumerate(known, 1)]
    return SearchAnswer(hits, {"colour": [{"name": "red", "count": len(hits)}]})
"""


@pytest.fixture
def lamps(admin: Any) -> None:
    """Three products, one of them inactive."""
    for sku, active in (("A1", True), ("B2", True), ("C3", False)):
        data = {"name": f"Lamp {sku}", "sku": sku, "price": "9.00", "is_active": active}
        admin.post("/api/v1/products", data).expect(201)


def found(client: Any, path: str) -> list[str]:
    return [item["sku"] for item in client.get(f"/api/v1/products{path}").expect(200)["results"]]


def test_what_an_addon_finds_is_shown_in_its_order_with_its_facets(
    client: Any, admin: Any, lamps: None, addon: Any
) -> None:
    addon("elsewhere", ELSEWHERE)
    assert found(client, "/search?q=b2+a1") == found(client, "?search=b2+a1") == ["B2", "A1"]
    answer = client.get("/api/v1/products/search?q=b2+a1").expect(200)
    assert answer["facets"]["colour"] == [{"name": "red", "count": 2}]
    assert answer["facets"]["price"] == [{"from": "5.00", "to": "10.00", "count": 2}]
    assert answer["results"][0]["highlights"]["name"] == "Lamp <mark>B2</mark>"
    suggested = client.get("/api/v1/products/suggestions?q=b2").expect(200)
    assert [item["name"] for item in suggested["products"]] == ["Lamp B2"]


def test_what_the_caller_may_not_see_and_filters_leave_out_is_dropped(
    client: Any, admin: Any, lamps: None, addon: Any
) -> None:
    addon("elsewhere", ELSEWHERE)
    assert (found(client, "/search?q=c3"), found(admin, "/search?q=c3")) == ([], ["C3"])
    assert found(client, "/search?q=b2+a1&sku=a1") == ["A1"]


def test_none_leaves_it_to_the_catalogue(client: Any, lamps: None, addon: Any) -> None:
    assert found(client, "/search?q=lamp") == ["B2", "A1"]
    addon("elsewhere", ELSEWHERE)
    assert found(client, "/search?q=lamp") == []
    assert found(client, "/search?q=local:lamp") == []
    assert found(client, "/search?q=local:") == []


def test_an_addon_that_fails_is_named(client: Any, lamps: None, addon: Any) -> None:
    addon("elsewhere", "@hookimpl\ndef search_products(): raise ValueError('no')\n")
    answer = client.get("/api/v1/products/search?q=lamp")
    assert answer.status_code == 503
    assert "elsewhere" in answer.json["detail"]
