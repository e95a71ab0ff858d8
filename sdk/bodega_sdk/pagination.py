"""Pages of a list: by number, or by cursor (keyset) for depth."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
import peewee

from bodega_sdk.errors import BadRequest
from bodega_sdk.http import Parameter, Request
from bodega_sdk.ids import read_uuid
from bodega_sdk.models import database
from bodega_sdk.reading import rows_of
from bodega_sdk.runtime import runtime

#: Beyond this page, a cursor is the tool.
LAST_PAGE = 100_000
_RANK = "rank_of_row"


def parameters(page_size: int, largest: int) -> tuple[Parameter, ...]:
    """Return the query parameters that every list knows.

    Args:
        page_size: rows on a page unless the caller says otherwise.
        largest: rows that a caller can ask for.

    Example::

        >>> [item.name for item in parameters(20, 200)]
        ['page', 'page_size', 'cursor']
    """
    return (
        Parameter("page", int, "Page number, from 1.", minimum=1, maximum=LAST_PAGE),
        Parameter("page_size", int, "Rows on a page.", page_size, 1, largest),
        CURSOR,
    )


CURSOR = Parameter(
    "cursor", str, "Where to go on; empty for the first page. Does not slow down with depth."
)


@dataclass(frozen=True, slots=True)
class Ordering:
    """What a list is ordered by; ties are broken by the key.

    Args:
        name: as cursors remember it.
        field: says how its values are written and read.
        expression: what is compared, never null.
        key: the key of the rows.
        value: takes a row, returns its value.

    Example::

        >>> Ordering.by(Award.points).name
        'points'
    """

    name: str
    field: peewee.Field
    expression: Any
    key: peewee.Field
    value: Callable[[Any], Any]

    @classmethod
    def by(cls, field: peewee.Field) -> "Ordering":
        """Return the ordering by a field of the rows themselves."""
        return cls(field.name, field, field, field.model.id, attrgetter(field.name))


def by_rank(query: Any, rank: Any, key: peewee.Field) -> tuple[Any, Ordering]:
    """Return a query that also reads a rank, a whole number, and the ordering by it."""
    order = Ordering("rank", peewee.IntegerField(), rank, key, attrgetter(_RANK))
    return query.select_extend(rank.alias(_RANK)), order


def paginate(
    query: peewee.ModelSelect, request: Request, order: Ordering, descending: bool, count: int
) -> tuple[list[Any], dict[str, Any]]:
    """Return the rows of the page asked for and the envelope without its results.

    Args:
        query: filtered, not ordered.
        count: of the rows on all pages; see :func:`count_rows`.

    Raises:
        BadRequest: the cursor is of another list, or comes with a page number.

    Example::

        >>> query = Award.select()
        >>> order, count = Ordering.by(Award.points), count_rows(query)
        >>> rows, envelope = paginate(query, request, order, False, count)
        >>> sorted(envelope)
        ['count', 'next', 'previous']
    """
    ordered = _order(query, order, descending)
    if "cursor" in request.query:
        if "page" in request.query:
            raise CURSOR.wrong("Cannot be combined with 'page'.", request.query["cursor"])
        return _by_cursor(ordered, request, order, descending, count)
    return _by_number(ordered, request, count)


def count_rows(query: peewee.ModelSelect) -> int:
    """Return the exact number of rows, counted once per version of the query's tables.

    Args:
        query: of one model's rows, not ordered.

    Example::

        >>> count_rows(Award.select().where(Award.points < 0))
        0
    """
    return runtime().count(_short(query))


def _short(query: peewee.ModelSelect) -> peewee.ModelSelect:
    """Return a query of as many rows without their columns, which take long to write."""
    kinds = (query._distinct, query._group_by, query._having, query._limit, query._offset)
    if any(item is not None and item is not False for item in kinds) or query._windows:
        return query
    short = query.clone()
    short._returning = (query.model._meta.primary_key,)
    return short


def _order(query: peewee.ModelSelect, order: Ordering, descending: bool) -> peewee.ModelSelect:
    fields = (order.expression,) if order.field is order.key else (order.expression, order.key)
    return query.order_by(*(item.desc() if descending else item.asc() for item in fields))


def _by_number(
    query: peewee.ModelSelect, request: Request, count: int
) -> tuple[list[Any], dict[str, Any]]:
    page, size = request.query.get("page", 1), request.query["page_size"]
    rows = rows_of(_page(query, size, (page - 1) * size))
    more = page * size < count and page < LAST_PAGE
    return rows, {
        "count": count,
        "next": request.url(page=page + 1) if more else None,
        "previous": request.url(page=page - 1) if page > 1 else None,
    }


def _page(query: peewee.ModelSelect, size: int, skipped: int = 0) -> peewee.ModelSelect:
    """Return the query of a page.

    Its rows are found by their keys first where others are skipped: nothing is joined or reckoned
    for those. SQLite would do that for rows, too, that it sorts away.
    """
    short, postgres = _short(query), database.obj.for_update
    if short is query or (not skipped and postgres):
        return query.limit(size).offset(skipped)
    keys = _bounded(short, size, skipped) if postgres else short.limit(size).offset(skipped)
    whole = query.clone()
    whole._where = query.model._meta.primary_key.in_(keys)
    return whole


def _bounded(keys: peewee.ModelSelect, size: int, skipped: int) -> peewee.ModelSelect:
    """Return the keys of a page out of the first so many rows, a power of two.

    PostgreSQL plans for that many, however many of them are skipped: so a few prepared
    statements serve all pages.
    """
    key = keys.model._meta.primary_key
    first = keys.limit(1 << (skipped + size - 1).bit_length()).alias("first")
    column = getattr(first.c, key.column_name)
    return keys.model.select(column).from_(first).limit(size).offset(skipped)


def _by_cursor(
    query: peewee.ModelSelect, request: Request, order: Ordering, descending: bool, count: int
) -> tuple[list[Any], dict[str, Any]]:
    size, cursor = request.query["page_size"], request.query["cursor"]
    if cursor:
        query = query.where(_after(cursor, order, descending))
    rows = rows_of(_page(query, size + 1))
    more, rows = len(rows) > size, rows[:size]
    link = request.url(cursor=_encode(rows[-1], order, descending)) if more else None
    return rows, {"count": count, "next": link, "previous": None}


def _encode(row: Any, order: Ordering, descending: bool) -> str:
    value = order.field.db_value(order.value(row))
    place = [order.name, descending, value, row.id.hex]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _after(cursor: str, order: Ordering, descending: bool) -> Any:
    value, key = _decode(cursor, order, descending)
    place, ident = order.expression, order.key
    if place is not order.field:
        value = peewee.Value(order.field.db_value(value), converter=False)
    if descending:
        return (place < value) | ((place == value) & (ident < key))
    return (place > value) | ((place == value) & (ident > key))


def _decode(cursor: str, order: Ordering, descending: bool) -> tuple[Any, UUID]:
    try:
        name, down, value, key = orjson.loads(base64.b64decode(cursor, b"-_", validate=True))
        if (name, down) != (order.name, descending) or type(down) is not bool:
            raise ValueError("made for another ordering")
        return _value(order.field, value), read_uuid(key)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise _bad_cursor(cursor) from None


def _value(order: peewee.Field, value: Any) -> Any:
    """Return a value of a field from a cursor, if it can be one."""
    expected = int if isinstance(order, peewee.IntegerField) else str
    if type(value) is not expected or (isinstance(value, int) and abs(value) >= 2**63):
        raise ValueError("not a value of this field")
    read = order.python_value(value)
    # What it is written as must be what stood there: no other spelling, nothing cut off.
    if order.db_value(read) != value or "\0" in str(value):
        raise ValueError("not a value of this field")
    return read


def _bad_cursor(cursor: str) -> BadRequest:
    return CURSOR.wrong("Take it unchanged from 'next' of a list with the same ordering.", cursor)
