"""The variants of products, read in the statement that reads the products themselves."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import peewee

from bodega_products.models import Product, Variant
from bodega_products.schemas import amount
from bodega_sdk.bulk import among

_FIELDS = (
    Variant.id, Variant.sku, Variant.options, Variant.attributes, Variant.price_minor,
    Variant.has_price, Variant.position,
)  # fmt: skip


def variants_below(postgres: bool) -> Any:
    """Return the column of a product's variants: a JSON array with an array for each."""
    if postgres:
        rows = peewee.fn.json_agg(peewee.fn.json_build_array(*_FIELDS))
    else:
        # SQLite keeps JSON as text, which would be quoted once more.
        plain = (peewee.fn.json(f) if isinstance(f, peewee.JSONField) else f for f in _FIELDS)
        rows = peewee.fn.json_group_array(peewee.fn.json_array(*plain))
    query = Variant.select(rows).where(Variant.product == Product.id)
    return query.alias("variants_below")


def shown_variants(products: list[Product]) -> list[list[dict[str, Any]]]:
    """Return variants as they are shown in their products, those of each product in turn."""
    try:
        found = [product.variants_below for product in products]
    except AttributeError:
        read = _read([product.id for product in products])
        found = [read.get(product.id) for product in products]
    # Most have none, which SQLite says as a text.
    return [
        _shown(rows, product) if rows and rows != "[]" else []
        for rows, product in zip(found, products, strict=True)
    ]


def _read(products: list[UUID]) -> dict[UUID, list[Any]]:
    """Read the variants of products that were read without them."""
    found: dict[UUID, list[Any]] = {}
    if not products:
        return found
    query = Variant.select(Variant.product, *_FIELDS).where(among(Variant.product, products))
    for product, *row in query.tuples():
        found.setdefault(product, []).append(row)
    return found


def _shown(rows: Any, product: Product) -> list[dict[str, Any]]:
    if isinstance(rows, str):
        rows = orjson.loads(rows)
    return [_one(row, product) for row in sorted(rows, key=lambda row: row[-1])]


def _one(row: Sequence[Any], product: Product) -> dict[str, Any]:
    key, sku, options, attributes, price, own_price, position = row
    return {
        "id": key if isinstance(key, UUID) else UUID(key),
        "sku": sku,
        "options": options,
        "attributes": attributes or {},
        "price": amount(price if own_price else product.price_minor, product.currency),
        "own_price": bool(own_price),
        "position": position,
    }
