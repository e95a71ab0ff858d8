"""Queries of the catalogue that other addons join their own tables to."""

from typing import Any

import peewee

from bodega_products.models import Product, Variant


def with_categories() -> Any:
    """Return the query of all products' ``id`` and ``category``, deleted ones too, to be joined.

    Its columns are members of ``c``: ``joined.c.id``.
    """
    return Product.select(Product.id, Product.category.alias("category")).alias("catalogued")


def with_prices() -> Any:
    """Return the query of the ``id``, ``currency``, ``price`` and ``cost`` of all that is sold.

    Of products, and of variants, which cost the shop what their product does. Amounts are
    minor units; ``cost`` is null where nobody wrote it down.
    """
    columns = (Product.currency.alias("currency"), Product.cost_minor.alias("cost"))
    own = peewee.Case(None, [(Variant.has_price, Variant.price_minor)], Product.price_minor)
    products = Product.select(Product.id, *columns, Product.price_minor.alias("price"))
    variants = Variant.select(Variant.id, *columns, own.alias("price")).join(Product)
    return products.union_all(variants).alias("priced")


def counts() -> tuple[int, int]:
    """Return how many products there are, and how many of them are active, in one query."""
    active = peewee.fn.SUM(peewee.Case(None, [(Product.is_active, 1)], 0)).coerce(False)
    query = Product.select(peewee.fn.COUNT(Product.id), active)
    total, sold = query.where(Product.deleted_at.is_null()).tuples().get()
    return int(total), int(sold or 0)
