"""The floor: bare Falcon and psycopg2, which answer as Bodega does, from its own tables.

Statements are prepared, the count is a second old at most, rows are tuples and orjson writes
them. There is nothing else: no permissions, limits, metrics, versions, extensions or hooks.
"""

import os
import threading
import time
from decimal import Decimal
from typing import Any

import falcon
import orjson
import psycopg2

COLUMNS = (
    "id", "name", "slug", "sku", "description", "price", "compare_at_price", "currency",
    "category", "tags", "attributes", "image_url", "is_active", "is_featured", "is_digital",
    "weight_grams", "length_millimetres", "width_millimetres", "height_millimetres",
    "meta_title", "meta_description", "popularity", "organization", "created_at", "updated_at",
)  # fmt: skip
_SELECT = """SELECT p.id::text, p.name, p.slug, p.sku, p.description, p.price_minor,
 p.compare_at_minor, p.currency, c.slug, p.tag_names, p.attributes, p.image_url, p.is_active,
 p.is_featured, p.is_digital, p.weight_grams, p.length_millimetres, p.width_millimetres,
 p.height_millimetres, p.meta_title, p.meta_description, p.popularity, p.organization::text,
 p.created_at, p.updated_at
 FROM products_product p LEFT JOIN products_category c ON c.id = p.category_id
 WHERE p.deleted_at IS NULL AND p.is_active"""
_FILTER = """ AND p.category_id IN (SELECT id FROM products_category WHERE slug = $3)
 AND p.price_minor >= $4 AND p.price_minor <= $5"""
_PAGE = " ORDER BY p.created_at DESC, p.id DESC LIMIT $1 OFFSET $2"
_COUNT = "SELECT count(*) FROM products_product p WHERE p.deleted_at IS NULL AND p.is_active"
_VARIANTS = """SELECT product_id::text, id::text, sku, options, price_minor, position
 FROM products_variant WHERE product_id = ANY($1::uuid[]) ORDER BY position"""
_BRANCHES = """SELECT id::text, name, slug, description, parent_id::text, position, depth,
 image_url, meta_title, meta_description, is_active, path, created_at, updated_at
 FROM products_category WHERE is_active ORDER BY position, name, id"""
_OF_BRANCHES = """SELECT c.path, count(*) FROM products_product p
 JOIN products_category c ON c.id = p.category_id
 WHERE p.deleted_at IS NULL AND p.is_active GROUP BY c.path"""
BRANCH = (
    "id", "name", "slug", "description", "parent", "position", "depth", "image_url", "meta_title",
    "meta_description", "is_active", "path", "created_at", "updated_at",
)  # fmt: skip
_PREPARED = (
    f"PREPARE branches AS {_BRANCHES}",
    f"PREPARE of_branches AS {_OF_BRANCHES}",
    f"PREPARE page(int, int) AS {_SELECT}{_PAGE}",
    f"PREPARE narrow(int, int, text, bigint, bigint) AS {_SELECT}{_FILTER}{_PAGE}",
    f"PREPARE item(uuid) AS {_SELECT} AND p.id = $1",
    f"PREPARE variants(text[]) AS {_VARIANTS}",
)
_local = threading.local()


def cursor() -> Any:
    """Return this thread's cursor, its statements prepared."""
    if not hasattr(_local, "cursor"):
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        _local.cursor = connection.cursor()
        for statement in _PREPARED:
            _local.cursor.execute(statement)
    return _local.cursor


def shown(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Return rows as Bodega shows them."""
    variants: dict[str, list[Any]] = {}
    cur = cursor()
    cur.execute("EXECUTE variants(%s)", ([row[0] for row in rows],))
    for product, *variant in cur.fetchall():
        variants.setdefault(product, []).append(variant)
    found = []
    for row in rows:
        item = dict(zip(COLUMNS, row, strict=True))
        item["price"] = str(Decimal(row[5]).scaleb(-2))
        item["compare_at_price"] = None if row[6] is None else str(Decimal(row[6]).scaleb(-2))
        item["tags"], item["attributes"] = row[9] or [], row[10] or {}
        item["variants"] = variants.get(row[0], [])
        found.append(item)
    return found


class Counted:
    """A count that is a second old at most."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, int]] = {}

    def get(self, sql: str, values: tuple[Any, ...] = ()) -> int:
        """Return it."""
        key = f"{sql}{values}"
        moment, number = self._kept.get(key, (0.0, 0))
        if time.monotonic() - moment > 1:
            cur = cursor()
            cur.execute(sql, values)
            number = cur.fetchone()[0]
            self._kept[key] = (time.monotonic(), number)
        return number


counted = Counted()
_NARROW_COUNT = f"""{_COUNT} AND p.category_id IN (SELECT id FROM products_category
 WHERE slug = %s) AND p.price_minor >= %s AND p.price_minor <= %s"""


class Products:
    """The list."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        page, size = int(req.params.get("page", 1)), int(req.params.get("page_size", 20))
        cur, place = cursor(), (size, (page - 1) * size)
        if "category" in req.params:
            prices = [int(Decimal(req.params[name]) * 100) for name in ("price_min", "price_max")]
            values = (req.params["category"], *prices)
            count = counted.get(_NARROW_COUNT, values)
            cur.execute("EXECUTE narrow(%s, %s, %s, %s, %s)", (*place, *values))
        else:
            count = counted.get(_COUNT)
            cur.execute("EXECUTE page(%s, %s)", place)
        results = shown(cur.fetchall())
        base = f"{req.prefix}{req.path}?page_size={size}&page="
        send(resp, {
            "count": count,
            "next": f"{base}{page + 1}" if page * size < count else None,
            "previous": f"{base}{page - 1}" if page > 1 else None,
            "results": results,
        })  # fmt: skip


class Product:
    """An item."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        cur = cursor()
        cur.execute("EXECUTE item(%s)", (key,))
        send(resp, shown(cur.fetchall())[0])


class Tree:
    """All categories, each with those below it and the number of its products."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        cur = cursor()
        cur.execute("EXECUTE branches")
        found = [dict(zip(BRANCH, row, strict=True)) for row in cur.fetchall()]
        cur.execute("EXECUTE of_branches")
        numbers = cur.fetchall()
        below: dict[str | None, list[dict[str, Any]]] = {}
        for item in found:
            path = item.pop("path")
            item["product_count"] = sum(many for at, many in numbers if at.startswith(path))
            item["children"] = below.setdefault(item["id"], [])
            below.setdefault(item["parent"], []).append(item)
        send(resp, {"categories": below.get(None, [])})


def send(resp: falcon.Response, body: Any) -> None:
    resp.content_type = "application/json"
    resp.data = orjson.dumps(body, option=orjson.OPT_UTC_Z)


app = falcon.App()
app.add_route("/api/v1/products", Products())
app.add_route("/api/v1/categories/tree", Tree())
app.add_route("/api/v1/products/{key}", Product())
