"""The search through the API: kept by every write, narrowed, counted, marked, suggested."""

import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from prometheus_client import REGISTRY

from bodega.addons import lifecycle
from bodega.database.structure import tables_of
from bodega_products import search_index, search_spelling
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_products.search_commands import products as commands
from bodega_products.search_jobs import index_missing
from bodega_products.search_models import SearchGram, SearchRow, SearchWord
from bodega_sdk import database, transaction
from bodega_sdk.runtime import bound

PRODUCTS = "/api/v1/products"
SEARCH = f"{PRODUCTS}/search"


@pytest.fixture
def lamp(admin: Any) -> dict[str, Any]:
    """A product."""
    found: dict[str, Any] = make(admin, "L-1", name="Brass lamp", description="Warm & <bright>")
    return found


def make(admin: Any, sku: str, **members: Any) -> Any:
    data = {"name": f"Product {sku}", "sku": sku, "price": "29.99"} | members
    return admin.post(PRODUCTS, data).expect(201)


def search(client: Any, text: str, more: str = "") -> Any:
    return client.get(f"{SEARCH}?q={quote(text)}{more}").expect(200)


def skus(client: Any, text: str, more: str = "") -> list[str]:
    return [item["sku"] for item in search(client, text, more)["results"]]


# The index follows every write.


def test_what_is_made_changed_deleted_and_restored_is_found_so(admin: Any, lamp: Any) -> None:
    where = f"{PRODUCTS}/{lamp['id']}"
    assert skus(admin, "brass") == ["L-1"]
    admin.patch(where, {"name": "Copper lamp"}).expect(200)
    assert (skus(admin, "brass"), skus(admin, "copper")) == ([], ["L-1"])
    admin.delete(where).expect(204)
    assert skus(admin, "copper") == []
    admin.post(f"{where}/restore").expect(200)
    assert skus(admin, "copper") == ["L-1"]


def test_what_is_rolled_back_is_not_found(admin: Any, lamp: Any) -> None:
    def fail() -> None:
        with transaction():
            Product.update(name="Zebra").execute()
            search_index.keep([Product.get().id])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (skus(admin, "zebra"), skus(admin, "brass")) == ([], ["L-1"])


def test_many_at_once_are_found(admin: Any, lamp: Any) -> None:
    fields = {"name": "Chair", "price_minor": 100, "category": "Seats"}
    rows = [ProductRow(f"C-{number}", fields) for number in range(30)]
    upsert([*rows, ProductRow("L-1", {"name": "Zinc lamp"})], "test")
    assert search(admin, "chair")["count"] == search(admin, "seats")["count"] == 30
    assert (skus(admin, "zinc"), skus(admin, "brass")) == (["L-1"], [])
    upsert([ProductRow("C-3", {"name": "Stool"})], "test")
    assert (skus(admin, "stool"), search(admin, "chair")["count"]) == (["C-3"], 29)


def test_tags_and_categories_are_found_by_their_names_of_today(admin: Any) -> None:
    category = admin.post("/api/v1/categories", {"name": "Lighting"}).expect(201)
    make(admin, "T-1", tags=["Vintage"], category=category["slug"])
    assert skus(admin, "vintage") == skus(admin, "lighting") == ["T-1"]
    where = f"/api/v1/categories/{category['id']}"
    admin.patch(where, {"name": "Lamps"}).expect(200)
    assert (skus(admin, "lighting"), skus(admin, "lamps")) == ([], ["T-1"])
    tag = admin.get("/api/v1/tags").expect(200)["results"][0]
    admin.patch(f"/api/v1/tags/{tag['id']}", {"name": "Antique"}).expect(200)
    assert (skus(admin, "vintage"), skus(admin, "antique")) == ([], ["T-1"])
    admin.delete(f"/api/v1/tags/{tag['id']}").expect(204)
    admin.delete(where).expect(204)
    assert skus(admin, "antique") == skus(admin, "lamps") == []


def test_a_translation_is_found(admin: Any, lamp: Any) -> None:
    where = f"{PRODUCTS}/{lamp['id']}/translations/de"
    admin.put(where, {"name": "Messingleuchte", "description": "Sehr hell"}).expect(200)
    assert skus(admin, "messingleuchte") == skus(admin, "hell") == ["L-1"]
    admin.delete(where).expect(204)
    assert skus(admin, "messingleuchte") == []


def test_a_product_that_is_deleted_for_good_leaves_the_index(admin: Any, lamp: Any) -> None:
    Product.delete().execute()
    assert SearchRow.select().count() == 0
    assert skus(admin, "brass") == []
    make(admin, "L-2", name="Silver lamp")
    assert skus(admin, "lamp") == ["L-2"]


def test_two_writers_of_the_same_new_words_both_succeed(shop: Any) -> None:
    errors: list[Exception] = []

    def write(number: int) -> None:
        try:
            with bound(shop.current):
                for turn in range(15):
                    words = [f"{letter * 4}{'abcdefghijklmno'[turn]}" for letter in "wxyz"]
                    name = " ".join(words if number else reversed(words))
                    upsert([ProductRow(f"{number}-{turn}", {"name": name})], "test")
        except Exception as error:
            errors.append(error)
        finally:
            shop.databases.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    words = SearchWord.select(SearchWord.word).distinct().count()
    assert (SearchRow.select().count(), words) == (30, 60)


# What comes out.


def test_facets_count_the_whole_result(admin: Any, client: Any) -> None:
    admin.post("/api/v1/categories", {"name": "Lights", "slug": "lights"}).expect(201)
    for number, price in enumerate(("5.00", "15.00", "19.99", "20.00", "3000000.00")):
        tags = ["warm"] if number < 3 else ["cold", "warm"]
        category = "lights" if number else None
        make(admin, f"F-{number}", name="Lamp", price=price, tags=tags, category=category)
    make(admin, "X-1", name="Chair", tags=["warm"])
    facets = search(client, "lamp", "&page_size=1")["facets"]
    assert facets == {
        "category": [{"slug": "lights", "name": "Lights", "count": 4}],
        "tags": [
            {"slug": "warm", "name": "warm", "count": 5},
            {"slug": "cold", "name": "cold", "count": 2},
        ],
        "price": [
            {"from": "5.00", "to": "10.00", "count": 1},
            {"from": "10.00", "to": "20.00", "count": 2},
            {"from": "20.00", "to": "50.00", "count": 1},
            {"from": "500000.00", "to": None, "count": 1},
        ],
    }
    narrowed = search(client, "lamp", "&price_max=19.99")["facets"]
    assert [band["count"] for band in narrowed["price"]] == [1, 2]
    assert search(client, "lamp", "&facets=false")["facets"] == {}


def test_facets_tell_what_is_in_stock_when_an_addon_keeps_it(
    shop: Any, admin: Any, client: Any
) -> None:
    make(admin, "S-0", name="Lamp")
    assert "stock" not in search(client, "lamp")["facets"]
    lifecycle.enable(shop, "inventory")
    shop.refresh()
    for number in (1, 2):
        make(admin, f"S-{number}", name="Lamp", inventory={"stock": number})
    assert search(client, "lamp")["facets"]["stock"] == {"in_stock": 2, "out_of_stock": 1}
    narrowed = search(client, "lamp", "&in_stock=true")
    assert narrowed["facets"]["stock"] == {"in_stock": 2, "out_of_stock": 0}
    assert sorted(item["sku"] for item in narrowed["results"]) == ["S-1", "S-2"]


def test_what_is_marked_is_escaped(admin: Any, client: Any, lamp: Any) -> None:
    text = "x" * 400 + " behind: Lamp & <script>alert(1)</script> " + "y" * 400
    make(admin, "M-1", name='<b>"Café" LAMP</b>', description=text)
    found = {item["sku"]: item["highlights"] for item in search(client, "cafe lamp")["results"]}
    assert found == {
        "M-1": {
            "name": "&lt;b&gt;&quot;<mark>Café</mark>&quot; <mark>LAMP</mark>&lt;/b&gt;",
            "description": "… behind: <mark>Lamp</mark> &amp; &lt;script&gt;alert(1)"
            "&lt;/script&gt; " + "y" * found["M-1"]["description"].count("y") + " …",
        }
    }  # fmt: skip
    bright = search(client, "bri")["results"][0]["highlights"]
    assert bright == {"name": "Brass lamp", "description": "Warm &amp; &lt;<mark>bright</mark>&gt;"}


def test_what_was_looked_for_instead_is_told_and_marked(client: Any, lamp: Any) -> None:
    answer = search(client, "brsas lmap")
    assert answer["corrected"] == {"brsas": ["brass"], "lmap": ["lamp"]}
    assert answer["results"][0]["highlights"]["name"] == "<mark>Brass</mark> <mark>lamp</mark>"


def test_inactive_products_are_found_only_by_those_who_see_them(
    admin: Any, client: Any, lamp: Any
) -> None:
    admin.patch(f"{PRODUCTS}/{lamp['id']}", {"is_active": False}).expect(200)
    assert (skus(client, "brass"), skus(admin, "brass")) == ([], ["L-1"])
    told = client.get(f"{PRODUCTS}/suggestions?q=bra").expect(200)
    assert (told["words"], told["products"]) == ([], [])


def test_words_of_what_is_not_sold_yet_are_told_to_nobody(admin: Any, client: Any) -> None:
    made = make(admin, "S-1", name="Secretphone", is_active=False)

    def told() -> list[Any]:
        hint = client.get(f"{PRODUCTS}/suggestions?q=secretphome").expect(200)
        return [search(client, "secretphome")["corrected"], hint["corrected"]]

    assert told() == [{}, {}]
    admin.patch(f"{PRODUCTS}/{made['id']}", {"is_active": True}).expect(200)
    assert told() == [{"secretphome": ["secretphone"]}] * 2


def test_nobody_learns_which_words_stand_in_what_is_not_sold(admin: Any, client: Any) -> None:
    make(admin, "L-1", name="Brass lamp")
    asked = (f"{SEARCH}?q=brasz", f"{PRODUCTS}/suggestions?q=brasz", f"{PRODUCTS}?search=brasz")
    before = [client.get(path).expect(200) for path in asked]
    assert before[0]["corrected"] == {"brasz": ["brass"]}
    make(admin, "L-2", name="Brasz prototype", is_active=False)
    assert [client.get(path).expect(200) for path in asked] == before
    assert skus(admin, "brasz") == ["L-2", "L-1"]


def test_searches_and_suggestions_are_kept_until_a_product_changes(admin: Any, client: Any) -> None:
    made = make(admin, "L-1", name="Brass lamp")
    for path in (f"{SEARCH}?q=brass", f"{PRODUCTS}/suggestions?q=brass", f"{PRODUCTS}?search=bra"):
        route = path.removeprefix("/api/v1").partition("?")[0]
        before = hits(route)
        client.get(path).expect(200)
        assert "Brass lamp" in client.get(path).text
        assert hits(route) == before + 1
        admin.patch(f"{PRODUCTS}/{made['id']}", {"name": "Old brass lamp"}).expect(200)
        assert "Old brass lamp" in client.get(path).text
        admin.patch(f"{PRODUCTS}/{made['id']}", {"name": "Brass lamp"}).expect(200)


def hits(route: str) -> int:
    labels = {"route": route, "outcome": "hit"}
    return int(REGISTRY.get_sample_value("bodega_http_kept_answers_total", labels) or 0)


def test_pages_hold_everything_once(admin: Any, client: Any) -> None:
    fields = {"name": "Lamp", "price_minor": 100}
    upsert([ProductRow(f"P-{number}", fields) for number in range(25)], "test")
    first = search(client, "lamp", "&page_size=10")
    assert (first["count"], first["more"], first["previous"]) == (25, False, None)
    seen: list[str] = []
    url = f"{SEARCH}?q=lamp&page_size=10"
    while url:
        page = client.get(url.removeprefix("http://falconframework.org")).expect(200)
        seen += [item["sku"] for item in page["results"]]
        url = page["next"]
    assert sorted(seen) == sorted(f"P-{number}" for number in range(25))
    assert search(client, "lamp", "&page=9&page_size=10")["results"] == []


def test_filters_fields_and_the_list_narrow_a_search(admin: Any, client: Any, lamp: Any) -> None:
    make(admin, "L-2", name="Brass lamp, large", price="99.00", is_featured=True)
    for more in ("&price_min=50", "&featured=true"):
        assert skus(client, "lamp", more) == ["L-2"]
    assert [*search(client, "lamp", "&fields=sku")["results"][0]] == ["sku", "highlights"]
    answer = client.get(f"{PRODUCTS}?search=lamp&ordering=price").expect(200)
    assert [item["sku"] for item in answer["results"]] == ["L-1", "L-2"]
    refused = client.get(f"{SEARCH}?q=lamp&colour=red")
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "colour")


def test_a_search_takes_few_queries_however_much_it_finds(admin: Any, client: Any) -> None:
    fields = {"name": "Lamp", "price_minor": 100, "category": "Lights"}
    upsert([ProductRow(f"Q-{number}", fields) for number in range(60)], "test")

    def count(size: int) -> int:
        asked: list[str] = []
        database.obj.query_hooks.append(lambda event: asked.append(event.sql))
        try:
            search(client, "lamp", f"&page_size={size}")
        finally:
            database.obj.query_hooks.pop()
        return len(asked)

    count(2)  # It finds out which tables the answer is made of.
    assert count(1) == count(60) <= 6


# Suggestions.


def test_suggestions_go_on_where_somebody_stopped_typing(admin: Any, client: Any) -> None:
    for number, name in enumerate(("Brass lamp", "Steel lamp", "Lampshade", "Laptop stand")):
        make(admin, f"S-{number}", name=name)
    told = client.get(f"{PRODUCTS}/suggestions?q=lam").expect(200)
    assert told["words"] == ["lamp", "lampshade"]
    assert [item["name"] for item in told["products"]] == ["Lampshade", "Steel lamp", "Brass lamp"]
    assert told["products"][0]["marked"] == "<mark>Lampshade</mark>"
    assert client.get(f"{PRODUCTS}/suggestions?q=brass+la").json["words"] == ["brass lamp"]
    slip = client.get(f"{PRODUCTS}/suggestions?q=lapm&limit=1").expect(200)
    assert (slip["words"], slip["corrected"]) == (["lamp"], {"lapm": ["lamp"]})
    assert client.get(f"{PRODUCTS}/suggestions?q=zzzz").json["products"] == []
    for limit in ("0", "21", "many"):
        assert client.get(f"{PRODUCTS}/suggestions?q=a&limit={limit}").status_code == 400


# Making it anew.


def test_reindex_mends_an_index_that_is_wrong(admin: Any, client: Any, lamp: Any) -> None:
    make(admin, "L-2", name="Silver lamp")
    gone = make(admin, "L-3", name="Golden lamp")
    with transaction():
        SearchRow.update(name=" wrong ").where(SearchRow.product == lamp["id"]).execute()
        SearchRow.delete().where(SearchRow.product != lamp["id"]).execute()
        search_spelling.forget_all()
        Product.update(deleted_at=Product.created_at).where(Product.id == gone["id"]).execute()
    assert [skus(client, text) for text in ("wrong", "silver", "sivler")] == [["L-1"], [], []]
    result = CliRunner().invoke(commands, ["reindex"])
    assert (result.exit_code, result.stdout) == (0, "Indexed 2 products.\n")
    assert "2 of 2 products" in result.stderr
    assert (skus(client, "brass"), skus(client, "sivler")) == (["L-1"], ["L-2"])
    assert skus(client, "golden") == []


def test_what_the_index_lacks_is_added_in_the_background(shop: Any, client: Any, lamp: Any) -> None:
    for model in (SearchRow, SearchWord, SearchGram):
        model.delete().execute()
    assert skus(client, "brass") == []
    index_missing.handler(_Run())
    assert skus(client, "brass") == ["L-1"]


class _Run:
    """A run whose lease nobody takes."""

    def transaction(self) -> Any:
        return transaction()


# Coming and going.


def test_the_index_stays_right_while_the_addon_is_disabled_and_enabled(
    shop: Any, client: Any, lamp: Any
) -> None:
    lifecycle.disable(shop, "products", cascade=True)
    shop.refresh()
    assert client.get(f"{SEARCH}?q=brass").status_code == 404
    lifecycle.enable(shop, "products")
    shop.refresh()
    assert skus(client, "brass") == ["L-1"]


def test_an_archive_brings_the_index_back(shop: Any, client: Any, lamp: Any) -> None:
    lifecycle.apply(shop, "uninstall", "imports")
    change = lifecycle.apply(shop, "uninstall", "products")
    left = [table for table in tables_of(shop.databases.shop) if table.startswith("products")]
    assert left == []
    lifecycle.apply(shop, "install", "products")
    lifecycle.restore(shop, Path(change.archives[0]))
    lifecycle.enable(shop, "products")
    shop.refresh()
    with bound(shop.current):
        assert skus(client, "brass") == skus(client, "barss") == ["L-1"]
