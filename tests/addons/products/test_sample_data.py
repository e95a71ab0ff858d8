"""``bodega sample-data``: what it makes, that it makes it once, and takes it away again."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.shop import Shop
from bodega_products.models import Category, Product, Tag, Translation, Variant
from bodega_sdk import SampleRun, sample_id

MODELS = (Category, Product, Variant, Tag, Translation)


@pytest.fixture
def run(shop: Shop) -> Callable[..., str]:
    """Run ``bodega sample-data …``; return what it printed."""

    def invoke(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(bodega, ["sample-data", *arguments], obj=Context(_shop=shop))
        told = str(done.exception) if code else ""
        assert (done.exit_code != 0) == bool(code), done.output
        return done.output + told

    return invoke


def contents() -> list[tuple[Any, ...]]:
    """What the samples look like, without times and made-up ids."""
    return list(
        Product.select(
            Product.id, Product.name, Product.sku, Product.slug, Product.description,
            Product.price_minor, Product.compare_at_minor, Product.category, Product.popularity,
            Product.attributes, Product.tag_names, Product.weight_grams,
        ).order_by(Product.sku).tuples()
    )  # fmt: skip


def counts() -> list[int]:
    """How many rows there are of each kind."""
    return [model.select().count() for model in MODELS]


def test_a_hundred_products_stand_in_a_tree_of_categories(run: Any, client: Any) -> None:
    told = run()
    assert told.startswith("products:")
    assert "100 products" in told
    found = client.get("/api/v1/products?page_size=200").expect(200)
    assert found["count"] == 100
    assert len({item["name"] for item in found["results"]}) > 90
    assert all(item["category"] and item["description"] for item in found["results"])
    assert any(item["compare_at_price"] for item in found["results"])
    assert any(item["tags"] for item in found["results"])
    assert any(item["is_featured"] for item in found["results"])
    assert any(len(item["variants"]) > 2 for item in found["results"])
    assert Category.select().where(Category.parent.is_null()).count() == 5
    assert Category.select().where(Category.depth == 2).count() == 14
    key = sample_id("products.product", 0)
    german = client.get(f"/api/v1/products/{key}", headers={"Accept-Language": "de"}).expect(200)
    assert " aus " in german["name"]


def test_a_second_run_changes_nothing_and_says_so(run: Any) -> None:
    run("--count", "30")
    before, rows = contents(), counts()
    assert "Nothing to do: the samples are there." in run("--count", "30")
    assert (contents(), counts()) == (before, rows)
    assert "made 5 products" in run("--count", "35").replace("made 5 products,", "made 5 products")
    assert contents()[:30] == before


def test_the_same_seed_makes_the_same_shop_and_another_one_another(run: Any) -> None:
    run("--count", "20", "--seed", "7")
    first = contents()
    run("--remove")
    run("--count", "20", "--seed", "7")
    assert contents() == first
    run("--remove")
    run("--count", "20", "--seed", "8")
    assert contents() != first


def test_removing_takes_all_of_it_away_and_nothing_else(run: Any, admin: Any) -> None:
    before = counts()
    run("--count", "30")
    [own] = Category.select().where(Category.slug == "mugs")
    body = {"name": "Mine", "sku": "MINE", "price": "1.00", "category": own.slug, "tags": ["gift"]}
    mine = admin.post("/api/v1/products", body).expect(201)
    assert "removed" in run("--remove")
    left = admin.get("/api/v1/products").expect(200)["results"]
    assert [(item["id"], item["category"]) for item in left] == [(mine["id"], "mugs")]
    assert sorted(row.slug for row in Category.select()) == ["kitchen", "mugs"]
    admin.delete(f"/api/v1/products/{mine['id']}").expect(204)
    Product.delete().execute()
    run("--remove")
    assert counts() == before
    assert "Nothing to do." in run("--remove")


def test_a_shop_with_products_of_its_own_is_left_alone_unless_it_is_told(
    run: Any, admin: Any
) -> None:
    body = {"name": "Mine", "sku": "MINE", "price": "1.00"}
    admin.post("/api/v1/products", body).expect(201)
    refused = run(code=1)
    assert "products: 1" in refused
    assert "--beside-real-data" in refused
    assert Product.select().count() == 1
    run("--count", "3", "--beside-real-data")
    assert Product.select().count() == 4
    run("--remove")
    assert [row.sku for row in Product.select()] == ["MINE"]


def test_what_fails_leaves_nothing_of_that_addon(run: Any, admin: Any) -> None:
    taken = {"name": "Mine", "sku": "SAMPLE-00003", "price": "1.00"}
    admin.post("/api/v1/products", taken).expect(201)
    before = counts()
    assert "sku" in run("--count", "5", "--beside-real-data", code=1)
    assert counts() == before


def test_a_run_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    run = SampleRun(2, told=lambda done, total: told.append((done, total)))
    run.progress(1, 2)
    assert told == [(1, 2)]
