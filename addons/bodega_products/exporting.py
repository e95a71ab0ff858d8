"""Products as the rows of a file: which ones, and the text of each of their cells.

Everything is said in SQL, so that no row passes through Python on its way into a file. The
texts are those that an import reads: amounts as decimals, ``true`` and ``false``, instants in
ISO 8601. They, and the order of the rows, are the same on both engines.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import peewee

from bodega_products.export_columns import ExportColumn, export_columns
from bodega_products.export_texts import json_of, text_of
from bodega_products.models import Category, Product
from bodega_products.resources import Products
from bodega_products.text import slugify
from bodega_sdk import Extension, Identity, Parameter, extensions_of
from bodega_sdk.errors import FieldError, PermissionDenied, invalid
from bodega_sdk.snapshots import Snapshot

__all__ = ["ExportColumn", "ProductRows", "checked_columns", "checked_filters", "export_columns"]


def checked_columns(
    names: Sequence[str] | None, identity: Identity | None
) -> tuple[ExportColumn, ...]:
    """Return the columns of names; of None the usual ones that somebody may see.

    Args:
        identity: who asks; None may see all.

    Raises:
        InvalidInput: there is no such column, or one is named twice.
        PermissionDenied: naming a column that is not for everybody.
    """
    known = export_columns()

    def hidden(column: ExportColumn) -> bool:
        return bool(column.permission) and identity is not None and not identity.may(
            column.permission
        )  # fmt: skip

    if names is None:
        return tuple(x for x in known.values() if x.usual and not hidden(x))
    for place, name in enumerate(names):
        if name not in known:
            message = f"There is no column {name!r}; known: {', '.join(known)}."
            raise invalid(f"columns.{place}", message, name)
        if hidden(known[name]):
            message = f"'{name}' needs the permission '{known[name].permission}'."
            raise PermissionDenied(message, [FieldError(f"columns.{place}", message)])
    if len(set(names)) < len(names):
        raise invalid("columns", "A column is named twice; name each once.")
    return tuple(known[name] for name in names)


def checked_filters(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return filters of ``GET /products``, ``search`` too, from their texts.

    Raises:
        InvalidInput, BadRequest: there is no such filter, or it takes no such value.
    """
    products, known = _products(), _parameters()
    found: dict[str, Any] = {}
    for name, text in sent.items():
        if name not in known:
            message = f"There is no such filter; known: {', '.join(sorted(known))}."
            raise invalid(f"filters.{name}"[:100], message)
        found[name] = known[name].parse(text)
    # Whatever a value may be refused for, it is now, not when the job runs.
    products.narrowed(Product.select(Product.id), found)
    return found


def _products() -> Products:
    return Products(extensions_of("products.product"))


def _parameters() -> dict[str, Parameter]:
    search = Parameter("search", str, "Words to look for.")
    own = {item.parameter.name: item.parameter for item in Products.filters}
    added = {
        parameter.name: parameter
        for extension in extensions_of("products.product")
        for parameter, _ in extension.conditions()
    }
    # Those that were deleted gave their addresses away: no import could take them.
    return {"search": search} | {k: v for k, v in (own | added).items() if k != "deleted"}


class ProductRows:
    """The products of an export, read from a snapshot.

    Args:
        snapshot: what they are read from.
        columns: see :func:`checked_columns`.
        filters: see :func:`checked_filters`.
        organization: whose; None for everybody's.

    Attributes:
        source, params: what the expressions are selected from, in the order of the SKUs.
        columns: as they were given.
        texts: the SQL of each column's text.
        values: the SQL of each column as JSON.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        columns: Sequence[ExportColumn],
        filters: Mapping[str, str],
        organization: UUID | None = None,
    ) -> None:
        self._snapshot, self.columns = snapshot, tuple(columns)
        self._sent, self._organization = checked_filters(filters), organization
        query = self._reading(_misleading(snapshot))
        inner, self.params = snapshot.bound(query)
        order = 'item.place COLLATE "C"' if snapshot.postgres else "item.place"
        self.source = f"FROM ({inner}) AS item ORDER BY {order}"
        kinds = [(f"item.c{at}", self._kind(column)) for at, column in enumerate(self.columns)]
        self.texts = tuple(text_of(*item, snapshot.postgres) for item in kinds)
        self.values = tuple(json_of(*item, snapshot.postgres) for item in kinds)

    def _kind(self, column: ExportColumn) -> str:
        """Return the kind of a column."""
        # Looking for the variants of each product takes as long as all the rest.
        some = "SELECT 1 FROM products_variant LIMIT 1"
        lacking = column.kind == "variants" and not list(self._snapshot.rows(some))
        return "nothing" if lacking else column.kind

    def count(self) -> int:
        """Return how many there are."""
        inner, params = self._snapshot.bound(self._found().select(Product.id))
        ((number,),) = self._snapshot.rows(f"SELECT count(*) FROM ({inner}) AS item", params)
        return int(number)

    def _found(self, beside: Sequence[Extension] = ()) -> Any:
        query = Product.select().where(Product.deleted_at.is_null())
        if self._organization is not None:
            query = query.where(Product.organization == self._organization)
        return _products().narrowed(query, self._sent, beside)

    def _reading(self, misleading: list[UUID]) -> Any:
        """Return the query of the columns' values, with what orders the rows behind them."""
        columns = self.columns
        query = self._found([x.extension for x in columns if x.extension is not None])
        if any(column.name == "category" for column in columns):
            same = Product.category == Category.id
            query = query.join_from(Product, Category, peewee.JOIN.LEFT_OUTER, on=same)
        values = [_value(item, misleading).alias(f"c{at}") for at, item in enumerate(columns)]
        place = Product.sku_key.alias("place")
        return query.select(*values, Product.currency.alias("currency"), place)


def _misleading(snapshot: Snapshot) -> list[UUID]:
    """Return the categories that an import would not find by their names, but by their slugs."""
    inner, params = snapshot.bound(Category.select(Category.id, Category.name, Category.slug))
    read = Category.id.python_value
    return [read(key) for key, name, slug in snapshot.rows(inner, params) if slugify(name) != slug]


def _value(column: ExportColumn, misleading: list[UUID]) -> Any:
    if column.name == "category" and misleading:
        return peewee.Case(None, [(Category.id.in_(misleading), Category.slug)], Category.name)
    return column.value
