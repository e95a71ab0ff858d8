"""What other addons may know of products and variants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bodega_products.models import Category, Product, ProductTag, Variant
from bodega_products.text import sku_key
from bodega_products.visibility import sold
from bodega_sdk import Money, bulk, locked, transaction
from bodega_sdk.bulk import among, portions
from bodega_sdk.reading import rows_of

_PRODUCTS = Product._meta.table_name


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What is known of a product.

    Args:
        id, name, slug, sku: which one.
        is_active: whether it is sold.
        organization: whose it is; None when it is the shop's own.
        category: id of its category, if it has one.
        price, currency: what the catalogue says that one piece costs.
    """

    id: UUID
    name: str
    slug: str
    sku: str
    is_active: bool
    organization: UUID | None
    category: UUID | None
    price: Money
    currency: str


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """What is known of a variant.

    Args:
        id: which one.
        product: id of the product it is a form of.
        sku: its SKU; empty when it has none.
        options: what makes it differ, e.g. ``{"Size": "L"}``.
        price: its own, or the product's.
    """

    id: UUID
    product: UUID
    sku: str
    options: Mapping[str, str]
    price: Money


def products_of(ids: Iterable[UUID]) -> dict[UUID, ProductFacts]:
    """Return what is known of products by id, in one query; those that are gone lack.

    A product that was deleted is gone; one that is not active is not.
    """
    alive = Product.select().where(Product.deleted_at.is_null())
    found = _many(alive, Product.id, ids)
    return {row.id: _product(row) for row in found}


def existing(ids: Iterable[UUID]) -> set[UUID]:
    """Return which ids are of products that are not gone, see :func:`products_of`; in one query."""
    alive = Product.select(Product.id).where(Product.deleted_at.is_null())
    return {
        key
        for some in portions(dict.fromkeys(ids))
        for (key,) in alive.where(among(Product.id, some)).tuples()
    }


def exists_sql(column: str) -> str:
    """Return the condition, in SQL, that the product whose id a column holds is not gone."""
    alive = "existing.deleted_at IS NULL"
    return (
        f"EXISTS (SELECT 1 FROM {_PRODUCTS} AS existing WHERE existing.id = {column} AND {alive})"
    )


def is_sold(key: Any) -> Any:
    """Return the condition that everybody sees the product whose id a field holds."""
    return key.in_(Product.select(Product.id).where(sold()))


def variants_of(ids: Iterable[UUID]) -> dict[UUID, VariantFacts]:
    """Return what is known of variants by id, in one query; those that are gone lack.

    The variants of a product that was deleted are gone too.
    """
    query = Variant.select(Variant, Product).join(Product).where(Product.deleted_at.is_null())
    return {row.id: _variant(row) for row in _many(query, Variant.id, ids)}


def forms_of(products: Iterable[UUID]) -> dict[UUID, list[VariantFacts]]:
    """Return the variants of products by the products' ids, in their order.

    Products that come in one form, or are gone, lack.
    """
    query = Variant.select(Variant, Product).join(Product).where(Product.deleted_at.is_null())
    found: dict[UUID, list[VariantFacts]] = {}
    for row in _many(query.order_by(Variant.position), Variant.product, products):
        found.setdefault(row.product_id, []).append(_variant(row))
    return found


def categories_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of categories by id, in one query; those that are not there lack."""
    return {row.id: row.name for row in _many(Category.select(), Category.id, ids)}


def items_of_skus(skus: Iterable[str]) -> dict[str, tuple[UUID, UUID | None]]:
    """Return what SKUs belong to, as they were asked for: a product, or one of its variants.

    Each is the product's id, and the variant's or None; unknown ones lack.
    """
    keys = {sku: sku_key(sku) for sku in skus}
    wanted = set(keys.values())
    found: dict[str, tuple[UUID, UUID | None]] = {
        row.sku_key: (row.product_id, row.id)
        for row in _many(Variant.select(), Variant.sku_key, wanted)
    }
    alive = Product.select().where(Product.deleted_at.is_null())
    found |= {row.sku_key: (row.id, None) for row in _many(alive, Product.sku_key, wanted)}
    return {sku: found[key] for sku, key in keys.items() if key in found}


def add_popularity(points: Mapping[UUID, int]) -> None:
    """Add points to what products are ordered by as ``popularity``; unknown ids are left out.

    Args:
        points: by product; what a sale or a good review is worth is for the caller to say.
    """
    alike: dict[int, list[UUID]] = {}
    for key, number in points.items():
        alike.setdefault(number, []).append(key)
    with transaction():
        hold(points)
        for number, keys in alike.items():
            for some in portions(keys):
                added = Product.popularity + number
                Product.update(popularity=added).where(Product.id.in_(some)).execute()


def hold(ids: Iterable[UUID]) -> None:
    """Lock products in the order of their ids, so that two who do so never wait in a ring."""
    for some in portions(sorted(ids)):
        query = Product.select(Product.id).where(Product.id.in_(some)).order_by(Product.id)
        list(locked(query).tuples())


def _many(query: Any, key: Any, ids: Iterable[Any]) -> Iterable[Any]:
    for some in portions(dict.fromkeys(ids)):
        yield from rows_of(query.where(among(key, some)))


def _product(row: Product) -> ProductFacts:
    return ProductFacts(
        row.id, row.name, row.slug, row.sku, row.is_active, row.organization, row.category_id,
        row.price, row.currency,
    )  # fmt: skip


def _variant(row: Variant) -> VariantFacts:
    product: Product = row.product
    options = dict(row.options or {})
    return VariantFacts(row.id, row.product_id, row.sku, options, row.price_of(product))


def refresh_statistics() -> None:
    """Let the database look at what is in the tables of products, after many were made.

    See :func:`bodega_sdk.bulk.refresh_statistics`.
    """
    bulk.refresh_statistics([Product, Variant, ProductTag])
