"""Facets: how many of the products found are in which category, at which price, and so on."""

from collections.abc import Iterable, Mapping
from typing import Any

import peewee

from bodega_products.models import Product
from bodega_sdk import Money, database, setting
from bodega_sdk.money import exponent

#: Categories and tags that are told, those with the most products first.
MOST = 50
_STEPS = tuple(digit * 10**power for power in range(6) for digit in (1, 2, 5))
_COUNTS = """
WITH matching (id, category, price, currency) AS ({found})
SELECT 'category', item.slug, item.name, count(*) FROM matching
    JOIN "products_category" item ON item.id = matching.category
    WHERE item.is_active GROUP BY item.slug, item.name
UNION ALL SELECT 'tags', item.slug, item.name, count(*) FROM matching
    JOIN "products_product_tag" marked ON marked.product_id = matching.id
    JOIN "products_tag" item ON item.id = marked.tag_id GROUP BY item.slug, item.name
UNION ALL SELECT 'price', band, '', count(*) FROM (
    SELECT CASE {cases} ELSE '{last}' END AS band FROM matching WHERE currency = {mark}
) AS priced GROUP BY band
UNION ALL SELECT 'all', '', '', count(*) FROM matching
"""


def facets(found: peewee.ModelSelect) -> tuple[dict[str, Any], int]:
    """Return the facets of a query of products and how many it has, by one statement."""
    columns = (Product.id, Product.category, Product.price_minor, Product.currency)
    sql, params = found.select(*columns).sql()
    rows = database.execute_sql(_statement(sql), (*params, setting("products.currency"))).fetchall()
    told = {
        "category": _named(rows, "category"),
        "tags": _named(rows, "tags"),
        "price": _bands({int(key): count for kind, key, _, count in rows if kind == "price"}),
    }
    return told, next(count for kind, _, _, count in rows if kind == "all")


def _statement(found: str) -> str:
    places = 10 ** exponent(setting("products.currency"))
    cases = " ".join(
        f"WHEN price < {step * places} THEN '{place}'" for place, step in enumerate(_STEPS)
    )
    return _COUNTS.format(found=found, cases=cases, last=len(_STEPS), mark=database.obj.param)


def _named(rows: Iterable[tuple[Any, ...]], kind: str) -> list[dict[str, Any]]:
    found = sorted((-count, slug, name) for what, slug, name, count in rows if what == kind)
    return [{"slug": slug, "name": name, "count": -count} for count, slug, name in found[:MOST]]


def _bands(counts: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return the bands of prices that have products; the last one has no end."""
    edges: tuple[int | None, ...] = (0, *_STEPS, None)
    return [
        {"from": _amount(edges[place]), "to": _amount(edges[place + 1]), "count": count}
        for place, count in sorted(counts.items())
    ]


def _amount(units: int | None) -> str | None:
    if units is None:
        return None
    currency = setting("products.currency")
    return str(Money(units * 10 ** exponent(currency), currency))
