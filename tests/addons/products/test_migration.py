"""What was there before the catalogue grew is there afterwards, and the other way round."""

from pathlib import Path
from typing import Any

import pytest

import bodega_products
from bodega.database import migrating
from bodega.database.migrating import KERNEL_MIGRATIONS, migrate, schema_change
from bodega_products.models import Category, Product, Variant
from bodega_products.text import options_key
from bodega_sdk import uuid7

FOLDER = Path(bodega_products.__file__).parent / "migrations"
STAMP = "2025-05-05T05:05:05.000000Z"


def insert(database: Any, table: str, **values: Any) -> str:
    key, mark = values.setdefault("id", uuid7().hex), database.param
    marks = ", ".join([mark] * len(values))
    database.execute_sql(
        f"INSERT INTO products_{table} ({', '.join(values)}) VALUES ({marks})",
        tuple(values.values()),
    )
    return str(key)


def product(database: Any, sku: str, category: str | None) -> str:
    return insert(
        database, "product", created_at=STAMP, updated_at=STAMP, name=sku, slug=sku.lower(),
        sku=sku, sku_key=sku.lower(), description="", price_minor=500, currency="USD",
        category_id=category, image_url="", is_active=True, is_featured=False,
        search_text=sku.lower(),
    )  # fmt: skip


def variant(database: Any, product: str, position: int, sku: str, options: str) -> None:
    insert(
        database, "variant", product_id=product, position=position, sku=sku, options=options,
        price_minor=100,
    )  # fmt: skip


@pytest.fixture
def database(new_shop: Any) -> Any:
    """A database as it was: two products, with variants that are alike in some ways."""
    found = new_shop.databases.shop
    with schema_change(found):
        migrate(found, "bodega", KERNEL_MIGRATIONS)
        migrate(found, "products", FOLDER, None, "0002_organizations")
    category = insert(
        found, "category", created_at=STAMP, updated_at=STAMP, name="C", slug="c", description="",
        is_active=True,
    )  # fmt: skip
    first, second = product(found, "A", category), product(found, "B", None)
    variant(found, first, 1, "a", '{"Size": "S"}')
    variant(found, first, 2, "X", '{"size": "s"}')
    variant(found, second, 1, "x", '{"Size": "S"}')
    variant(found, second, 2, "A", "{}")
    variant(found, second, 3, "Y", '{"Size": "M"}')
    with schema_change(found):
        migrate(found, "products", FOLDER)
    return found


@pytest.mark.usefixtures("database")
def test_categories_are_roots_and_variants_know_what_they_are_compared_by() -> None:
    category = Category.get()
    assert (category.path, category.depth) == (f"{category.id.hex}/", 1)
    a = Product.get(sku="A")
    assert (a.category_id, a.popularity, a.deleted_at) == (category.id, 0, None)
    rows = Variant.select().join(Product).order_by(Product.sku, Variant.position)
    small, medium = options_key({"SIZE": "s"}), options_key({"Size": "M"})
    # Of what there is twice, the first one has it; a product's own SKU is no variant's.
    assert [(row.sku_key, row.options_key) for row in rows] == [
        (None, small), ("x", None), (None, small), (None, options_key({})), ("y", medium),
    ]  # fmt: skip
    assert {row.created_at for row in rows} == {a.created_at}
    assert all(row.has_price for row in rows)


def test_it_can_be_taken_back_and_done_again(database: Any) -> None:
    Product.update(deleted_at=Product.created_at, slug="~x").where(Product.sku == "B").execute()
    Variant.update(has_price=False).where(Variant.sku == "Y").execute()
    runner = migrating._runner(database, "products", FOLDER)
    names = [item.name for item in runner.status() if item.name > "0003"]
    for name in sorted(names, reverse=True):
        with schema_change(database):
            runner.down(name)
    query = "SELECT sku, is_active FROM products_product ORDER BY sku"
    assert [(sku, bool(on)) for sku, on in database.execute_sql(query).fetchall()] == [
        ("A", True), ("B", False),
    ]  # fmt: skip
    query = "SELECT price_minor FROM products_variant WHERE sku = 'Y'"
    assert database.execute_sql(query).fetchone()[0] == 500
    with schema_change(database):
        migrate(database, "products", FOLDER)
    assert Variant.select().count() == 5
