"""Made-up rows: every column by its type, duplicates and nulls where they are allowed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

from bodega.addons.foreign_keys import foreign_keys
from bodega.database.connection import is_postgres
from bodega.database.structure import load_order, quoted
from bodega.errors import OperatorError
from bodega_sdk.ids import uuid7
from bodega_sdk.models import Model
from bodega_sdk.testing.conformance.schema import Column, columns, indexes

ROWS = 3
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def fill(database: Any, tables: Iterable[str]) -> dict[str, int]:
    """Fill tables with a few rows; return how many rows each has then.

    A table whose rows cannot be made up (a CHECK, a trigger) stays as it is.
    """
    tables = list(tables)
    with suppress(OperatorError):
        tables = load_order(database, tables)
    for table in tables:
        for number in range(ROWS):
            with suppress(peewee.DatabaseError, _NoParent), database.atomic():
                _insert(database, table, number)
    return {table: count(database, table) for table in tables}


def count(database: Any, table: str) -> int:
    """Return how many rows a table has."""
    return int(database.execute_sql(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0])


class _NoParent(Exception):
    """A row needs another that is not there."""


def _insert(database: Any, table: str, number: int) -> None:
    values = dict(_values(database, table, number))
    names = ", ".join(map(quoted, values))
    mark = "%s" if is_postgres(database) else "?"
    marks = ", ".join([mark] * len(values))
    database.execute_sql(
        f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", tuple(values.values())
    )


def _values(database: Any, table: str, number: int) -> Iterator[tuple[str, Any]]:
    unique = {name for item in indexes(database, table) if item.unique for name in item.columns}
    parents = {key.columns: key.parent for key in foreign_keys(database) if key.table == table}
    documents = _documents(table)
    for column in columns(database, table).values():
        if column.generated or (column.default and not column.primary and number == 0):
            continue
        if column.primary and _counts(column):
            continue
        if column.name in parents:
            yield column.name, _parent(database, parents[column.name], column, number)
        elif column.null and number == ROWS - 1:
            yield column.name, None
        elif column.name in _ids(table):
            yield column.name, uuid7().hex
        elif column.name in documents:
            yield column.name, documents[column.name]
        else:
            # The first two rows are alike, as rows of a real shop may be.
            alone = column.name in unique or column.primary
            yield column.name, value(column, number if alone else number // 2)


def _ids(table: str) -> set[str]:
    """Return the columns that hold UUIDs: SQLite itself knows them for nothing but text."""
    return {item.column_name for item in _fields(table) if isinstance(item, peewee.UUIDField)}


def _documents(table: str) -> dict[str, str]:
    """Return the columns that hold JSON, and what stands there of a new row: {} or []."""
    return {
        field.column_name: json.dumps(field.default() if callable(field.default) else {})
        for field in _fields(table)
        if isinstance(field, peewee.JSONField)
    }


def _fields(table: str) -> list[Any]:
    models: set[Any] = set()
    waiting: list[Any] = [Model]
    while waiting:
        found = waiting.pop().__subclasses__()
        models.update(item for item in found if item._meta.table_name == table)
        waiting += found
    return [field for model in models for field in model._meta.sorted_fields]


def _counts(column: Column) -> bool:
    """Whether the engine counts it up by itself."""
    told = str(column.default or "")
    return "nextval" in told or told in ("a", "d") or column.type == "INTEGER"


def _parent(database: Any, table: str, column: Column, number: int) -> Any:
    key = next((c.name for c in columns(database, table).values() if c.primary), None)
    query = f"SELECT {quoted(key or 'id')} FROM {quoted(table)} ORDER BY 1"
    found = [row[0] for row in database.execute_sql(query).fetchall()]
    if found:
        return found[number % len(found)]
    if column.null:
        return None
    raise _NoParent


def value(column: Column, number: int) -> Any:
    """Return a value of a column's type; another one for another number."""
    kind, moment = column.type.lower(), _BEGIN + timedelta(days=number)
    if "uuid" in kind:
        return str(uuid7())
    if "int" in kind or "bool" in kind:
        return bool(number % 2) if kind == "boolean" else number + 1
    if "time" in kind or kind == "date":
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if "json" in kind:
        return "{}"
    if any(word in kind for word in ("numeric", "decimal", "real", "double", "float")):
        return number + 1
    if "bytea" in kind or "blob" in kind:
        return b"made up"
    return _text(column, kind, number)


def _text(column: Column, kind: str, number: int) -> str:
    if column.primary:
        return str(uuid7()).replace("-", "")
    if "currency" in column.name:
        return "EUR"  # Nothing else of a name is guessed: few texts have a meaning of their own.
    told = f"{column.name} {number}"
    size = kind.partition("(")[2].rstrip(")")
    return told[-int(size) :] if size.isdigit() else told
