"""Many rows at once, past the query builder: one prepared statement for all of them.

Building an INSERT of thousands of rows with peewee takes four times as long as
running it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import peewee
from psycopg2.extras import execute_values

from bodega_sdk.models import Model, database
from bodega_sdk.runtime import runtime

_PAGE = 1000


class _Keys(peewee.Node):
    """Values in parentheses, written at once."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def __sql__(self, ctx: Any) -> Any:
        ctx._values.extend(self._values)
        mark = ctx.state.param or "?"
        return ctx.literal(f"({', '.join([mark] * len(self._values))})")

    def __outline__(self, outline: Any) -> None:
        outline.key += ("keys", len(self._values))
        outline.values += self._values


class _Ids(peewee.Node):
    """Ids as one value of PostgreSQL: however many they are, the statement is the same."""

    def __init__(self, keys: list[UUID]) -> None:
        self._text = f"{{{','.join([key.hex for key in keys])}}}"

    def __sql__(self, ctx: Any) -> Any:
        ctx._values.append(self._text)
        return ctx.literal("(%s::uuid[])")

    def __outline__(self, outline: Any) -> None:
        outline.key.append("ids")
        outline.values.append(self._text)


def among(field: peewee.Field, keys: Iterable[Any]) -> Any:
    """Return the condition that a field has one of many values: ``in_``, written faster.

    Args:
        field: of a model.
        keys: values that the field takes, thousands at most.

    Example::

        >>> list(Award.select().where(among(Award.points, [])))
        []
    """
    keys = list(keys)
    if not keys:
        return peewee.SQL("1 = 0")
    if _are_ids(field, keys):
        return peewee.Expression(field, "= ANY", _Ids(keys))
    return peewee.Expression(field, peewee.OP.IN, _Keys([field.db_value(key) for key in keys]))


def _are_ids(field: peewee.Field, keys: list[Any]) -> bool:
    """Whether keys can be told PostgreSQL as one value."""
    if not isinstance(database.obj, peewee.PostgresqlDatabase):
        return False
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    return isinstance(field, peewee.UUIDField) and all(isinstance(key, UUID) for key in keys)


def insert_or_update(
    model: type[Model],
    fields: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    key: str,
    update: Sequence[str],
) -> None:
    """Insert rows; where ``key`` is there already, set the fields of ``update`` instead.

    Call it in a transaction. No key may come twice.

    Args:
        fields: names of the model's fields, one for each value of a row. JSON fields
            are not supported.
        key: name of a unique field.
        update: names of fields.

    Example::

        >>> rows = [("EUR", 2), ("JPY", 3)]
        >>> with transaction():
        ...     insert_or_update(Rate, ("currency", "rate"), rows, key="currency", update=("rate",))
    """
    meta = model._meta
    columns = [meta.fields[name].column_name for name in fields]
    adapt = _adapter([meta.fields[name] for name in fields])
    sql = _statement(meta, columns, key, update)
    runtime().touch(meta.table_name)
    cursor = database.obj.cursor()
    adapted = map(adapt, rows)
    with peewee.__exception_wrapper__:
        if isinstance(database.obj, peewee.PostgresqlDatabase):
            execute_values(cursor, sql.format("%s"), adapted, page_size=_PAGE)
        else:
            marks = ", ".join("?" * len(columns))
            cursor.executemany(sql.format(f"({marks})"), adapted)


def _statement(meta: Any, columns: Sequence[str], key: str, update: Sequence[str]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    changed = [meta.fields[name].column_name for name in update]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    return (
        f'INSERT INTO "{meta.table_name}" ({names}) VALUES {{}} '
        f'ON CONFLICT ("{meta.fields[key].column_name}") DO UPDATE SET {changes}'
    )


def _adapter(fields: Sequence[peewee.Field]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return what turns a row into what the driver takes, touching only what must be."""
    places = [
        (place, field.db_value)
        for place, field in enumerate(fields)
        if not isinstance(field, _PLAIN) or isinstance(field, peewee.ForeignKeyField)
    ]

    def adapt(row: Sequence[Any]) -> Sequence[Any]:
        adapted = list(row)
        for place, db_value in places:
            adapted[place] = db_value(adapted[place])
        return adapted

    return adapt


_PLAIN = (
    peewee.CharField, peewee.FixedCharField, peewee.TextField, peewee.IntegerField,
    peewee.BooleanField,
)  # fmt: skip
