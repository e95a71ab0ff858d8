"""Pages of a list: by number, or by cursor (keyset) for depth."""

import base64
from typing import Any
from uuid import UUID

import orjson
import peewee

from bodega_sdk.errors import BadRequest
from bodega_sdk.http import Parameter, Request
from bodega_sdk.ids import read_uuid
from bodega_sdk.runtime import runtime

#: Beyond this page, a cursor is the tool.
LAST_PAGE = 100_000


def parameters(page_size: int, largest: int) -> tuple[Parameter, ...]:
    """Return the query parameters that every list knows."""
    return (
        Parameter("page", int, "Page number, from 1.", minimum=1, maximum=LAST_PAGE),
        Parameter("page_size", int, "Rows on a page.", page_size, 1, largest),
        CURSOR,
    )


CURSOR = Parameter(
    "cursor", str, "Where to go on; empty for the first page. Does not slow down with depth."
)


def paginate(
    query: peewee.ModelSelect, request: Request, order: peewee.Field, descending: bool
) -> tuple[list[Any], dict[str, Any]]:
    """Return the rows of the page asked for and the envelope without its results.

    Args:
        query: filtered, not ordered.
        order: the ordering's field, never null; ties are broken by id.
    """
    count = runtime().count(query)
    ordered = _order(query, order, descending)
    if "cursor" in request.query:
        if "page" in request.query:
            raise CURSOR.wrong("Cannot be combined with 'page'.", request.query["cursor"])
        return _by_cursor(ordered, request, order, descending, count)
    return _by_number(ordered, request, count)


def _order(query: peewee.ModelSelect, order: peewee.Field, descending: bool) -> peewee.ModelSelect:
    key = order.model.id
    fields = (order,) if order is key else (order, key)
    return query.order_by(*(item.desc() if descending else item.asc() for item in fields))


def _by_number(
    query: peewee.ModelSelect, request: Request, count: int
) -> tuple[list[Any], dict[str, Any]]:
    page, size = request.query.get("page", 1), request.query["page_size"]
    rows = list(query.limit(size).offset((page - 1) * size))
    more = page * size < count and page < LAST_PAGE
    return rows, {
        "count": count,
        "next": request.url(page=page + 1) if more else None,
        "previous": request.url(page=page - 1) if page > 1 else None,
    }


def _by_cursor(
    query: peewee.ModelSelect, request: Request, order: peewee.Field, descending: bool, count: int
) -> tuple[list[Any], dict[str, Any]]:
    size, cursor = request.query["page_size"], request.query["cursor"]
    if cursor:
        query = query.where(_after(cursor, order, descending))
    rows = list(query.limit(size + 1))
    more, rows = len(rows) > size, rows[:size]
    link = request.url(cursor=_encode(rows[-1], order, descending)) if more else None
    return rows, {"count": count, "next": link, "previous": None}


def _encode(row: Any, order: peewee.Field, descending: bool) -> str:
    value = order.db_value(getattr(row, order.name))
    place = [order.name, descending, value, row.id.hex]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _after(cursor: str, order: peewee.Field, descending: bool) -> Any:
    value, key = _decode(cursor, order, descending)
    ident = order.model.id
    if descending:
        return (order < value) | ((order == value) & (ident < key))
    return (order > value) | ((order == value) & (ident > key))


def _decode(cursor: str, order: peewee.Field, descending: bool) -> tuple[Any, UUID]:
    try:
        name, down, value, key = orjson.loads(base64.b64decode(cursor, b"-_", validate=True))
        if (name, down) != (order.name, descending) or type(down) is not bool:
            raise ValueError("made for another ordering")
        return _value(order, value), read_uuid(key)
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
