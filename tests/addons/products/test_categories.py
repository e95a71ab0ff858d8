"""The tree of categories, and tags."""

import threading
from functools import partial
from typing import Any

import pytest

from bodega_products import categories
from bodega_products.models import Category
from bodega_sdk.testing.queries import query_counter

CATEGORIES, PRODUCTS, TAGS = "/api/v1/categories", "/api/v1/products", "/api/v1/tags"


def make(who: Any, name: str, parent: str | None = None, **members: Any) -> dict[str, Any]:
    body = {"name": name, "parent": parent} | members
    found: dict[str, Any] = who.post(CATEGORIES, json=body).expect(201)
    return found


def product(who: Any, sku: str, **members: Any) -> None:
    body = {"name": f"Product {sku}", "sku": sku, "price": "10.00"} | members
    who.post(PRODUCTS, json=body).expect(201)


def names(tree: list[dict[str, Any]]) -> list[Any]:
    return [(item["name"], names(item["children"])) for item in tree]


@pytest.fixture
def tree(admin: Any) -> dict[str, dict[str, Any]]:
    """Home above Light above Lamp, and Garden."""
    home = make(admin, "Home", position=2)
    light = make(admin, "Light", home["id"])
    lamp = make(admin, "Lamp", "light")
    return {"home": home, "light": light, "lamp": lamp, "garden": make(admin, "Garden", position=1)}


def test_categories_are_a_tree_in_their_order(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    product(admin, "a", category="lamp")
    product(admin, "b", category="home")
    product(admin, "c", category="lamp", is_active=False)
    found = client.get(f"{CATEGORIES}/tree").expect(200)["categories"]
    assert names(found) == [("Garden", []), ("Home", [("Light", [("Lamp", [])])])]
    home = found[1]
    light = home["children"][0]
    assert (home["product_count"], light["product_count"]) == (2, 1)
    assert (light["depth"], light["parent"]) == (2, tree["home"]["id"])
    paths = {row.slug: row.path for row in Category.select()}
    assert categories.counts([paths["light"], paths["lamp"]]) == {paths["lamp"]: 1}
    shown = client.get(f"{CATEGORIES}/light").expect(200)
    assert shown["product_count"] == 1
    listed = client.get(f"{CATEGORIES}?parent=home").expect(200)["results"]
    assert [item["name"] for item in listed] == ["Light"]
    listed = client.get(f"{CATEGORIES}?parent=none&ordering=position").expect(200)["results"]
    assert [item["name"] for item in listed] == ["Garden", "Home"]


def test_a_list_of_categories_takes_four_queries(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    product(admin, "a", category="lamp")
    client.get(f"{CATEGORIES}/lamp").expect(200)  # A process looks once which tables there are.
    for path in (CATEGORIES, f"{CATEGORIES}/tree"):
        with query_counter() as queries:
            client.get(path, headers={"Accept-Language": "de"}).expect(200)
        # Versions, count, page, products; and translations.
        assert len(queries) <= 4 + 1, queries


def test_what_is_below_an_inactive_category_is_left_out(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    admin.patch(f"{CATEGORIES}/light", json={"is_active": False}).expect(200)
    found = client.get(f"{CATEGORIES}/tree").expect(200)["categories"]
    assert names(found) == [("Garden", []), ("Home", [])]
    assert client.get(f"{CATEGORIES}/light/products").status_code == 404
    admin.get(f"{CATEGORIES}/light/products").expect(200)


def test_the_products_of_a_category_are_those_below_it_too(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    for sku, category in (("a", "home"), ("b", "lamp"), ("c", "garden")):
        product(admin, sku, category=category)
    for name in ("home", tree["home"]["id"]):
        found = client.get(f"{CATEGORIES}/{name}/products?ordering=name").expect(200)
        assert [item["sku"] for item in found["results"]] == ["a", "b"]
        assert found["count"] == 2
        listed = client.get(f"{PRODUCTS}?category_tree={name}").expect(200)
        assert listed["count"] == 2
        listed = client.get(f"{PRODUCTS}?category={name}").expect(200)
        assert [item["sku"] for item in listed["results"]] == ["a"]
    assert client.get(f"{CATEGORIES}/nothing/products").status_code == 404
    assert client.get(f"{PRODUCTS}?category_tree=nothing").expect(200)["count"] == 0
    page = client.get(f"{CATEGORIES}/home/products?page_size=1").expect(200)
    assert "/categories/home/products?" in page["next"]


def test_a_subtree_moves_as_a_whole(admin: Any, client: Any, tree: dict[str, Any]) -> None:
    product(admin, "a", category="lamp")
    moved = admin.patch(f"{CATEGORIES}/light", json={"parent": "garden"}).expect(200)
    assert moved["parent"] == tree["garden"]["id"]
    found = client.get(f"{CATEGORIES}/tree").expect(200)["categories"]
    assert names(found) == [("Garden", [("Light", [("Lamp", [])])]), ("Home", [])]
    assert client.get(f"{CATEGORIES}/home/products").expect(200)["count"] == 0
    assert client.get(f"{CATEGORIES}/garden/products").expect(200)["count"] == 1
    admin.patch(f"{CATEGORIES}/light", json={"parent": None}).expect(200)
    assert client.get(f"{CATEGORIES}/lamp").expect(200)["depth"] == 2
    assert client.get(f"{CATEGORIES}/light").expect(200)["depth"] == 1


def test_a_category_is_never_below_itself(admin: Any, tree: dict[str, Any]) -> None:
    for parent in ("home", "light", "lamp"):
        refused = admin.patch(f"{CATEGORIES}/home", json={"parent": parent}).expect(422)
        assert refused["errors"][0]["field"] == "parent"
        assert "below itself" in refused["detail"]
    refused = admin.patch(f"{CATEGORIES}/home", json={"parent": "nothing"}).expect(422)
    assert refused["errors"][0]["field"] == "parent"


def test_the_tree_is_twelve_levels_deep_at_most(admin: Any, tree: dict[str, Any]) -> None:
    parent = None
    for level in range(1, 13):
        parent = make(admin, f"Level {level}", parent)["slug"]
    refused = admin.post(CATEGORIES, json={"name": "x", "parent": parent}).expect(422)
    assert refused["errors"][0]["field"] == "parent"
    body = {"parent": "level-11"}
    assert admin.patch(f"{CATEGORIES}/light", json=body).status_code == 422
    admin.patch(f"{CATEGORIES}/lamp", json=body).expect(200)


def test_what_was_below_a_deleted_category_moves_up(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    product(admin, "a", category="lamp")
    product(admin, "b", category="light")
    admin.delete(f"{CATEGORIES}/light").expect(204)
    found = client.get(f"{CATEGORIES}/tree").expect(200)["categories"]
    assert names(found) == [("Garden", []), ("Home", [("Lamp", [])])]
    lamp = Category.get(slug="lamp")
    assert (lamp.depth, lamp.path.count("/")) == (2, 2)
    assert client.get(f"{CATEGORIES}/home/products").expect(200)["count"] == 1
    assert client.get(f"{PRODUCTS}/b").expect(200)["category"] is None


def test_a_category_that_changes_its_slug_is_found_by_the_old_one(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    admin.patch(f"{CATEGORIES}/light", json={"slug": "lights"}).expect(200)
    answer = client.get(f"{CATEGORIES}/light")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{CATEGORIES}/lights")
    body = {"name": "x", "slug": "tree"}
    assert admin.post(CATEGORIES, json=body).expect(422)["errors"][0]["field"] == "slug"


def test_two_that_move_below_each_other_at_once_make_no_cycle(
    admin: Any, tree: dict[str, Any]
) -> None:
    for _ in range(5):
        barrier, found = threading.Barrier(2), []

        def move(name: str, parent: str, barrier: Any = barrier, found: Any = found) -> None:
            barrier.wait(10)
            found.append(admin.patch(f"{CATEGORIES}/{name}", json={"parent": parent}).status_code)

        pairs = (("home", "garden"), ("garden", "home"))
        threads = [threading.Thread(target=partial(move, *pair)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(found) == [200, 422]
        for name in ("home", "garden"):
            admin.patch(f"{CATEGORIES}/{name}", json={"parent": None}).expect(200)
    paths = {row.slug: row.path for row in Category.select()}
    assert paths["lamp"].startswith(paths["light"])
    assert paths["light"].startswith(paths["home"])


def test_a_category_that_is_not_active_is_not_told_by_its_products(
    admin: Any, client: Any, tree: dict[str, Any]
) -> None:
    product(admin, "a", category="garden")
    asked = (f"{PRODUCTS}/a", f"{PRODUCTS}?sku=a&fields=category", f"{PRODUCTS}/search?q=a")

    def told(who: Any) -> list[Any]:
        found = (who.get(path).expect(200) for path in asked)
        return [item["results"][0]["category"] if "results" in item else item["category"]
                for item in found]  # fmt: skip

    assert told(client) == ["garden"] * 3
    admin.patch(f"{CATEGORIES}/garden", json={"is_active": False}).expect(200)
    assert told(client) == [None] * 3
    assert told(admin) == told(client.as_user("vendor")) == ["garden"] * 3


def test_tags_are_counted_renamed_and_deleted(admin: Any, client: Any) -> None:
    product(admin, "a", tags=["Été", "  Big   Sale "])
    product(admin, "b", tags=["ete"])
    product(admin, "c", tags=["夏"], is_active=False)
    found = client.get(f"{TAGS}?ordering=name").expect(200)["results"]
    shown = {item["name"]: (item["slug"], item["product_count"]) for item in found}
    assert shown["Été"] == ("ete", 2)
    assert shown["Big Sale"] == ("big-sale", 1)
    assert "夏" not in shown
    assert admin.get(f"{TAGS}?name=夏").expect(200)["results"][0]["product_count"] == 0
    assert client.get(f"{PRODUCTS}?tag=ETE").expect(200)["count"] == 2
    assert client.get(f"{PRODUCTS}/b").expect(200)["tags"] == ["Été"]
    admin.patch(f"{TAGS}/ete", json={"name": "Summer"}).expect(200)
    assert client.get(f"{PRODUCTS}/b").expect(200)["tags"] == ["Summer"]
    assert client.get(f"{PRODUCTS}/a").expect(200)["tags"] == ["Big Sale", "Summer"]
    assert admin.patch(f"{TAGS}/summer", json={"name": "BIG sale"}).status_code == 409
    admin.delete(f"{TAGS}/summer").expect(204)
    assert client.get(f"{PRODUCTS}/a").expect(200)["tags"] == ["Big Sale"]
    admin.patch(f"{PRODUCTS}/a", json={"tags": []}).expect(200)
    assert client.get(f"{TAGS}/big-sale").status_code == 404
    assert admin.get(f"{TAGS}/big-sale").expect(200)["product_count"] == 0
    assert client.as_user("vendor").post(TAGS, json={"name": "x"}).status_code == 403
    assert admin.post(TAGS, json={"name": "big SALE"}).status_code == 409
