"""What a product holds, how it is found, and what it was called before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bodega.database.connection import is_postgres
from bodega_products.filters import FILTERS
from bodega_products.models import Product
from bodega_sdk.testing.queries import query_counter

PRODUCTS = "/api/v1/products"


def make(who: Any, sku: str, **members: Any) -> dict[str, Any]:
    data = {"name": f"Product {sku}", "sku": sku, "price": "10.00"} | members
    found: dict[str, Any] = who.post(PRODUCTS, json=data).expect(201)
    return found


def skus(who: Any, query: str) -> list[str]:
    found = who.get(f"{PRODUCTS}?{query}&page_size=100").expect(200)
    assert found["count"] == len(found["results"])
    return [item["sku"] for item in found["results"]]


WHOLE = {
    "description": "It glows.", "compare_at_price": "12.00", "attributes": {"color": "red"},
    "tags": ["Light", "New"], "is_featured": True, "is_digital": True, "weight_grams": 1200,
    "length_millimetres": 100, "width_millimetres": 200, "height_millimetres": 300,
    "meta_title": "Lamp", "meta_description": "Buy it",
}  # fmt: skip


def test_a_product_shows_all_that_it_was_made_of(admin: Any) -> None:
    made = make(admin, "L-1", **WHOLE)
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert (made["slug"], made["popularity"]) == ("product-l-1", 0)
    assert admin.get(f"{PRODUCTS}/{made['id']}").expect(200) == made


def test_put_resets_what_it_leaves_out_and_patch_does_not(admin: Any) -> None:
    made = make(admin, "L-1", **WHOLE)
    where = f"{PRODUCTS}/{made['id']}"
    patched = admin.patch(where, json={"name": "Other"}).expect(200)
    assert {name: patched[name] for name in WHOLE} == WHOLE
    whole = admin.put(where, json={"name": "Other", "sku": "L-1", "price": "1"}).expect(200)
    assert (whole["tags"], whole["attributes"], whole["weight_grams"]) == ([], {}, None)
    assert whole["slug"] == made["slug"]


def test_a_product_is_found_by_id_slug_and_sku_in_any_case(admin: Any, client: Any) -> None:
    made = make(admin, "L-1a")
    for name in (made["id"], "product-l-1a", "L-1a", "l-1A"):
        assert client.get(f"{PRODUCTS}/{name}").expect(200)["id"] == made["id"]
        assert client.get(f"{PRODUCTS}/{name}/quote").expect(200)["sku"] == "L-1a"
    for name in ("nothing", "l-1", "01a1fd7c-0000-7000-8000-000000000000"):
        assert client.get(f"{PRODUCTS}/{name}").status_code == 404


def test_a_changed_slug_is_sent_on_to_the_new_one(admin: Any, client: Any) -> None:
    made = make(admin, "L-1")
    where = f"{PRODUCTS}/{made['id']}"
    for slug in ("second", "third"):
        admin.patch(where, json={"slug": slug}).expect(200)
    for old in ("product-l-1", "second"):
        answer = client.get(f"{PRODUCTS}/{old}?fields=name")
        assert answer.status_code == 301
        assert answer.headers["Location"] == f"{PRODUCTS}/third?fields=name"
    assert client.get(f"{PRODUCTS}/third").expect(200)["id"] == made["id"]
    admin.patch(where, json={"is_active": False}).expect(200)
    assert client.get(f"{PRODUCTS}/second").status_code == 404


def test_a_slug_that_is_taken_again_sends_nobody_on(admin: Any, client: Any) -> None:
    first = make(admin, "L-1", slug="lamp")
    admin.patch(f"{PRODUCTS}/{first['id']}", json={"slug": "old-lamp"}).expect(200)
    second = make(admin, "L-2", slug="lamp")
    assert client.get(f"{PRODUCTS}/lamp").expect(200)["id"] == second["id"]
    admin.patch(f"{PRODUCTS}/{second['id']}", json={"slug": "other"}).expect(200)
    assert client.get(f"{PRODUCTS}/lamp").headers["Location"] == f"{PRODUCTS}/other"
    admin.patch(f"{PRODUCTS}/{first['id']}", json={"slug": "lamp"}).expect(200)
    assert client.get(f"{PRODUCTS}/lamp").expect(200)["id"] == first["id"]


def test_slugs_are_made_and_unique_and_no_words_of_the_api(admin: Any) -> None:
    assert [make(admin, f"S{n}", name="Tea & Cup")["slug"] for n in range(3)] == [
        "tea-cup", "tea-cup-2", "tea-cup-3",
    ]  # fmt: skip
    assert make(admin, "S4", name="Featured")["slug"] == "featured-2"
    body = {"name": "x", "sku": "S5", "price": "1", "slug": "featured"}
    assert admin.post(PRODUCTS, json=body).expect(422)["errors"][0]["field"] == "slug"
    body |= {"slug": "tea-cup"}
    assert admin.post(PRODUCTS, json=body).expect(409)["errors"][0]["field"] == "slug"


def test_a_slug_is_made_without_a_look_at_all_products(admin: Any) -> None:
    made = [make(admin, f"S{n}", name="Tea Cup")["slug"] for n in range(13)]
    assert made == ["tea-cup", *(f"tea-cup-{n}" for n in range(2, 14))]
    with query_counter() as queries:
        make(admin, "S13", name="Tea")
    assert not [sql for sql in queries if "LIKE" in sql.upper()], queries


def test_what_it_cost_the_shop_is_for_staff(admin: Any, client: Any) -> None:
    made = make(admin, "L-1", cost="4.00")
    where, vendor = f"{PRODUCTS}/{made['id']}", client.as_user("vendor")
    assert (made["cost"], admin.get(where).expect(200)["cost"]) == ("4.00", "4.00")
    assert client.as_user("staff").get(where).expect(200)["cost"] == "4.00"
    for who in (client, vendor):
        assert "cost" not in who.get(where).expect(200)
        assert "cost" not in who.get(PRODUCTS).expect(200)["results"][0]
    body = {"name": "x", "sku": "L-2", "price": "1", "cost": "1"}
    assert vendor.post(PRODUCTS, json=body).expect(403)["errors"][0]["field"] == "cost"
    whole = {"name": "x", "sku": "L-1", "price": "1"}
    assert admin.put(where, json=whole).expect(200)["cost"] == "4.00"


def test_a_product_is_not_written_under_the_sku_of_a_variant(admin: Any) -> None:
    made = make(admin, "L-1")
    body = {"product": made["id"], "sku": "L-1-red", "options": {"Colour": "red"}}
    admin.post("/api/v1/variants", json=body).expect(201)
    where = f"{PRODUCTS}/l-1-RED"
    assert admin.get(where).expect(200)["id"] == made["id"]
    for answer in (admin.delete(where), admin.patch(where, json={"name": "x"})):
        assert answer.expect(409)["errors"][0]["field"] == "id"
    admin.delete(f"{PRODUCTS}/l-1").expect(204)


@pytest.mark.parametrize(
    "attributes",
    [
        [], "x", {"a": "\0"}, {"a\0": 1}, {"a" * 101: 1}, {"a": {"b": {"c": {"d": {"e": 1}}}}},
        {str(n): n for n in range(201)}, {"a": "x" * 17_000},
    ],
)  # fmt: skip
def test_attributes_are_an_object_that_is_not_too_large(admin: Any, attributes: Any) -> None:
    body = {"name": "x", "sku": "L-1", "price": "1", "attributes": attributes}
    found = admin.post(PRODUCTS, json=body).expect(422)
    assert found["errors"][0]["field"].startswith("attributes")
    assert Product.select().count() == 0


def test_attributes_of_every_kind_come_back_as_they_were(admin: Any) -> None:
    attributes = {"a": {"b": {"c": [1, 2.5, None, True]}}, "ä \"'": "é", "": 0}
    assert make(admin, "L-1", attributes=attributes)["attributes"] == attributes


def test_lists_are_narrowed_by_attributes(admin: Any, client: Any) -> None:
    make(admin, "red", attributes={"color": "red", "size": 5, "new": True})
    make(admin, "blue", attributes={"color": "blue", "size": "5", "new": False})
    make(admin, "none")
    assert skus(client, "attribute=color:red") == ["red"]
    assert set(skus(client, "attribute=size:5")) == {"red", "blue"}
    assert skus(client, "attribute=size:5,color:blue") == ["blue"]
    assert skus(client, "attribute=new:true") == ["red"]
    assert skus(client, "attribute=new:1") == skus(client, "attribute=other:x") == []
    assert skus(client, "attribute=" + ",".join(["color:red"] * 10)) == ["red"]
    many = ",".join(["a:1"] * 11)
    for bad in ("color", "color:", ":red", 'co"lor:red', "a:b,,", many, "a:1," * 250):
        answer = client.get(PRODUCTS, params={"attribute": bad})
        assert answer.expect(422)["errors"][0]["field"] == "attribute"


def test_lists_are_narrowed_by_what_products_are(admin: Any, client: Any) -> None:
    make(admin, "a", is_featured=True, price="5.00")
    make(admin, "b", is_digital=True, price="15.00")
    assert skus(client, "featured=true") == skus(client, "price_max=10") == ["a"]
    assert skus(client, "digital=true") == skus(client, "price_min=10") == ["b"]
    assert skus(client, "vendor=01a1fd7c-0000-7000-8000-000000000000") == []
    assert skus(client, "ordering=price") == skus(client, "ordering=name") == ["a", "b"]


def test_lists_are_narrowed_by_when_products_were_made(admin: Any, client: Any) -> None:
    make(admin, "new")
    make(admin, "old")
    then = datetime(2020, 1, 31, 12, tzinfo=UTC)
    Product.update(created_at=then).where(Product.sku == "old").execute()
    assert skus(client, "created_before=2020-01-31T12:00:01Z") == ["old"]
    assert skus(client, "created_before=2020-01-31T12:00:00Z") == []
    assert skus(client, "created_after=2020-01-31T12:00:00Z") == ["new", "old"]
    assert skus(client, "created_after=2020-02-01&created_before=2999-01-01") == ["new"]
    assert skus(client, "created_after=2020-01-31T13:30:00%2B01:00") == ["new"]
    for bad in ("yesterday", "0001-01-01T00:00:00%2B14:00", "2020-13-01"):
        found = client.get(f"{PRODUCTS}?created_after={bad}").expect(400)
        assert found["errors"][0]["field"] == "created_after"


def test_featured_and_popular_products_have_lists_of_their_own(admin: Any, client: Any) -> None:
    from bodega_products.api import add_popularity

    made = {sku: make(admin, sku, is_featured=sku != "b") for sku in ("a", "b", "c")}
    add_popularity({Product.get(sku="b").id: 5, Product.get(sku="c").id: 9})
    found = client.get(f"{PRODUCTS}/popular?page_size=2").expect(200)
    assert [item["sku"] for item in found["results"]] == ["c", "b"]
    assert found["count"] == 3
    assert "/products/popular?" in found["next"]
    found = client.get(f"{PRODUCTS}/featured?ordering=name").expect(200)
    assert [item["sku"] for item in found["results"]] == ["a", "c"]
    assert skus(client, "ordering=-popularity") == ["c", "b", "a"]
    make(admin, "d")
    found = client.get(f"{PRODUCTS}/popular?search=product").expect(200)
    assert [item["sku"] for item in found["results"]] == ["c", "b", "d", "a"]
    assert client.get(f"{PRODUCTS}/featured?featured=false").status_code == 400
    assert made["a"]["popularity"] == 0


def test_related_products_share_the_category_and_tags(admin: Any, client: Any) -> None:
    admin.post("/api/v1/categories", json={"name": "Lamps"}).expect(201)
    make(admin, "own", category="lamps", tags=["Red", "Small"])
    make(admin, "both", category="lamps", tags=["red"])
    make(admin, "tags", tags=["Red", "small"])
    make(admin, "category", category="lamps")
    make(admin, "hidden", category="lamps", is_active=False)
    make(admin, "other", tags=["Blue"])
    found = client.get(f"{PRODUCTS}/own/related").expect(200)
    assert next(item["sku"] for item in found["results"]) == "both"
    assert {item["sku"] for item in found["results"]} == {"both", "tags", "category"}
    assert found["count"] == 3
    few = client.get(f"{PRODUCTS}/own/related?page_size=1").expect(200)
    assert len(few["results"]) == 1
    assert client.get(f"{PRODUCTS}/other/related").expect(200)["results"] == []
    assert client.get(f"{PRODUCTS}/hidden/related").status_code == 404


def test_a_page_of_products_takes_four_queries_and_one_for_variants(
    admin: Any, client: Any
) -> None:
    admin.post("/api/v1/categories", json={"name": "Lamps"}).expect(201)
    for number in range(20):
        made = make(admin, f"S{number}", category="lamps", tags=["Red"])
        admin.post("/api/v1/variants", json={"product": made["id"]}).expect(201)
        admin.put(f"{PRODUCTS}/{made['id']}/translations/de", json={"name": "Lampe"}).expect(200)
        admin.put(f"{PRODUCTS}/{made['id']}/prices/EUR", json={"price": "9.00"}).expect(200)
    client.get(f"{PRODUCTS}/{made['id']}").expect(
        200
    )  # A process looks once which tables there are.
    for query in ("", "currency=EUR", "category_tree=lamps&tag=red&price_max=99&currency=EUR"):
        with query_counter() as queries:
            found = client.get(f"{PRODUCTS}?{query}", headers={"Accept-Language": "de"})
        assert len(found.expect(200)["results"]) == 20
        # Versions, count, page and translations; and variants, which are always included.
        assert len(queries) <= 4 + 1, queries
        assert found.json["results"][0]["name"] == "Lampe"


def test_an_answer_is_kept_until_something_of_it_changes(admin: Any, client: Any) -> None:
    made = make(admin, "L-1", tags=["Red"])
    where, german = f"{PRODUCTS}/{made['id']}", {"Accept-Language": "de"}
    changes = (
        lambda: admin.patch(where, json={"name": "Other"}),
        lambda: admin.post("/api/v1/variants", json={"product": made["id"]}),
        lambda: admin.put(f"{where}/translations/de", json={"name": "Lampe"}),
        lambda: admin.patch("/api/v1/tags/red", json={"name": "Blue"}),
        lambda: admin.delete(where),
    )
    addresses = (where, PRODUCTS, f"{where}?currency=EUR", f"{PRODUCTS}/popular", f"{PRODUCTS}/l-1")
    for change in changes:
        before = [client.get(address, headers=german).text for address in addresses]
        with query_counter() as queries:
            again = [client.get(address, headers=german).text for address in addresses]
        assert again == before
        # Whether it is the same is asked at most; nothing is read again.
        assert not [sql for sql in queries if "products_" in sql], queries
        assert change().status_code < 300
        after = [client.get(address, headers=german).text for address in addresses]
        assert all(old != new for old, new in zip(before, after, strict=True)), change
    assert client.get(where).status_code == client.get(f"{PRODUCTS}/l-1").status_code == 404


def test_popularity_is_added_for_known_products_only(admin: Any) -> None:
    from bodega_products.api import add_popularity, products_of
    from bodega_sdk import uuid7

    made = Product.get_by_id(make(admin, "a")["id"])
    add_popularity({made.id: 3, uuid7(): 4})
    add_popularity({made.id: -1})
    add_popularity({})
    assert Product.get_by_id(made.id).popularity == 2
    facts = products_of([made.id, uuid7()])
    assert list(facts) == [made.id]
    assert (facts[made.id].slug, str(facts[made.id].price)) == ("product-a", "10.00")


def test_a_filter_by_time_knows_the_day_that_is(admin: Any, client: Any) -> None:
    make(admin, "now")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert skus(client, f"created_before={tomorrow}") == ["now"]
    assert skus(client, f"created_after={tomorrow}") == []


def test_few_featured_products_are_found_without_reading_all(shop: Any, admin: Any) -> None:
    make(admin, "L-1")
    make(admin, "L-2", is_featured=True)
    assert skus(admin, "featured=true") == ["L-2"]
    assert skus(admin, "featured=false") == ["L-1"]
    (featured,) = (item.apply(True) for item in FILTERS if item.parameter.name == "featured")
    newest = (Product.created_at.desc(), Product.id.desc())
    sql, values = Product.select(Product.id).where(featured).order_by(*newest).limit(20).sql()
    database = shop.databases.shop
    explain = "EXPLAIN" if is_postgres(database) else "EXPLAIN QUERY PLAN"
    with database.atomic():
        if is_postgres(database):
            # PostgreSQL reads so small a table whole.
            database.execute_sql("SET LOCAL enable_seqscan = off")
        plan = str(database.execute_sql(f"{explain} {sql}", values).fetchall())
    assert "products_product_featured" in plan
    assert "temp" not in plan.lower()
