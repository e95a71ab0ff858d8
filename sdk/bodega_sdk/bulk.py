"""Many rows at once, past the query builder: one prepared statement for all of them, or COPY.

Building an INSERT of thousands of rows with peewee takes four times as long as
running it.
"""

import io
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from itertools import chain, islice
from typing import Any, TypeVar
from uuid import UUID

import peewee

from bodega_sdk._statements import written
from bodega_sdk.models import Model, database, transaction
from bodega_sdk.runtime import runtime

T = TypeVar("T")
#: Ids that one statement is given at most; SQLite takes 32,766 values.
MOST_IDS = 5000


def portions(things: Iterable[T], size: int = MOST_IDS) -> Iterator[list[T]]:
    """Yield things in lists of so many at most; for a few it is much faster than peewee's.

    Args:
        things: ids, mostly.
        size: how many.

    Example::

        >>> list(portions("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    waiting = iter(things)
    while some := list(islice(waiting, size)):
        yield some


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


class _Array(peewee.Node):
    """Keys as one value of PostgreSQL: however many they are, the statement is the same.

    Args:
        kind: what PostgreSQL calls their type.
    """

    def __init__(self, value: Any, kind: str) -> None:
        self._value, self._kind = value, kind

    def __sql__(self, ctx: Any) -> Any:
        ctx._values.append(self._value)
        return ctx.literal(f"(%s::{self._kind}[])")

    def __outline__(self, outline: Any) -> None:
        outline.key.append(self._kind)
        outline.values.append(self._value)


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
    if array := _array(field, keys):
        return peewee.Expression(field, "= ANY", array)
    return peewee.Expression(field, peewee.OP.IN, _Keys([field.db_value(key) for key in keys]))


def _array(field: peewee.Field, keys: list[Any]) -> _Array | None:
    """Return keys as one value, if PostgreSQL can be told them so."""
    if not _is_postgres():
        return None
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    if isinstance(field, peewee.UUIDField) and all(isinstance(key, UUID) for key in keys):
        return _Array(f"{{{','.join([key.hex for key in keys])}}}", "uuid")
    if isinstance(field, peewee.CharField) and all(isinstance(key, str) for key in keys):
        return _Array(keys, "text")
    return None


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
    names = ", ".join(f'"{meta.fields[name].column_name}"' for name in fields)
    column = meta.fields[key].column_name
    changed = [meta.fields[name].column_name for name in update]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    # In one order, so that two who do so do not wait for each other in a ring; and in one
    # statement, because SQLite's full-text index writes whenever a statement begins.
    tail = f'ON CONFLICT ("{column}") DO UPDATE SET {changes}'
    few, others = _few(rows, fields.index(key))
    if few:
        _insert_few(model, fields, few, f'INSERT INTO "{meta.table_name}" ({names})', tail)
        return
    with staged(model, fields, others) as table:
        runtime().touch(meta.table_name)
        database.execute_sql(
            f'INSERT INTO "{meta.table_name}" ({names}) SELECT {names} FROM {table} '
            f'WHERE true ORDER BY "{column}" {tail}'
        )


#: Rows that are written as they are: a temporary table costs more than they do.
_FEW = 20


def _few(
    rows: Iterable[Sequence[Any]], place: int
) -> tuple[list[Sequence[Any]], Iterable[Sequence[Any]]]:
    """Return rows in the order of their keys if they are few, and else all of them unread.

    Args:
        place: where the key is. Python and databases agree on the order of UUIDs only.
    """
    rest = iter(rows)
    first = list(islice(rest, _FEW + 1))
    if len(first) > _FEW or not all(isinstance(row[place], UUID) for row in first):
        return [], chain(first, rest)
    return sorted(first, key=lambda row: row[place].int), ()


def _insert_few(
    model: type[Model], fields: Sequence[str], rows: list[Sequence[Any]], head: str, tail: str
) -> None:
    meta, mark = model._meta, database.obj.param
    adapt = _adapter([meta.fields[name] for name in fields])
    marks = ", ".join([f"({', '.join([mark] * len(fields))})"] * len(rows))
    runtime().touch(meta.table_name)
    values = [value for row in rows for value in adapt(row)]
    database.execute_sql(f"{head} VALUES {marks} {tail}", values)


def insert_models(rows: Sequence[Model], *, or_ignore: bool = False) -> int:
    """Insert rows of one model as they are, by one statement whose text is kept.

    For a few rows that have to be quick: building an INSERT takes longer than running it.
    Call it in a transaction.

    Args:
        rows: of one model, with the keys that they shall have; a hundred at most.
        or_ignore: whether what breaks a unique index is left out.

    Returns:
        How many were inserted.

    Example::

        >>> with transaction():
        ...     insert_models([Award(points=3), Award(points=4)])
        2
    """
    if not rows:
        return 0
    model: Any = type(rows[0])
    meta = model._meta
    if getattr(meta, "versioned", False):
        runtime().touch(meta.table_name)
    text = _insert_text(model, len(rows), or_ignore, _is_postgres())
    values = [_stored(field, row.__data__) for row in rows for field in meta.sorted_fields]
    return int(database.execute_sql(text, values).rowcount)


@lru_cache(maxsize=256)
def _insert_text(model: Any, count: int, or_ignore: bool, on_postgres: bool) -> str:
    fields = model._meta.sorted_fields
    mark = "%s" if on_postgres else "?"
    json_mark = mark if on_postgres else f"json({mark})"
    marks = [json_mark if isinstance(one, peewee.JSONField) else mark for one in fields]
    row = f"({', '.join(marks)})"
    names = ", ".join(f'"{one.column_name}"' for one in fields)
    ignoring = " ON CONFLICT DO NOTHING" if or_ignore else ""
    table, rows = model._meta.table_name, ", ".join([row] * count)
    return f'INSERT INTO "{table}" ({names}) VALUES {rows}{ignoring}'


def _stored(field: peewee.Field, data: Mapping[str, Any]) -> Any:
    value = data.get(field.name)
    if value is not None and isinstance(field, peewee.JSONField):
        return json.dumps(value)
    return field.db_value(value)


def insert_rows(
    model: type[Model],
    fields: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    same: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows that are not there yet: by COPY on PostgreSQL. Call it in a transaction.

    Args:
        fields: names of the model's fields, one for each value of a row. JSON fields are
            not supported; defaults are the database's.
        same: fields that have the same value in every row.

    Raises:
        peewee.IntegrityError: one of them is there.

    Example::

        >>> with transaction():
        ...     insert_rows(Rate, ("currency", "rate"), [("SEK", 2), ("NOK", 3)])
    """
    meta, more = model._meta, dict(same or {})
    taken = [meta.fields[name] for name in (*fields, *more)]
    adapt = _adapter(taken[: len(fields)])
    tail = tuple(meta.fields[name].db_value(value) for name, value in more.items())
    runtime().touch(meta.table_name)
    _put(meta.table_name, taken, ((*adapt(row), *tail) for row in rows))


def update_rows(
    model: type[Model],
    fields: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    same: Mapping[str, Any] | None = None,
) -> None:
    """Set fields of many rows by one statement; call it in a transaction.

    Args:
        fields: names of the model's fields, one for each value of a row; the first is the
            key. JSON fields are not supported.
        same: fields that get the same value in every row.

    Example::

        >>> with transaction():
        ...     update_rows(Rate, ("currency", "rate"), [("EUR", 4)])
    """
    meta = model._meta
    key, *others = (meta.fields[name].column_name for name in fields)
    shared = [(meta.fields[name], value) for name, value in (same or {}).items()]
    changes = [f'"{name}" = staged."{name}"' for name in others]
    changes += [f'"{field.column_name}" = {database.obj.param}' for field, _ in shared]
    with staged(model, fields, rows) as table:
        runtime().touch(meta.table_name)
        database.execute_sql(
            f'UPDATE "{meta.table_name}" SET {", ".join(changes)} FROM {table} AS staged '
            f'WHERE "{meta.table_name}"."{key}" = staged."{key}"',
            [field.db_value(value) for field, value in shared],
        )


def fetch_rows(query: Any, fields: Sequence[peewee.Field]) -> Iterator[Sequence[Any]]:
    """Yield the rows of a query as tuples would be, read faster.

    Args:
        query: a select of these fields; columns behind them come as the driver gives them.
        fields: of models.

    Example::

        >>> with transaction():
        ...     insert_rows(Rate, ("currency", "rate"), [("DKK", 7)])
        >>> fields = [Rate.currency, Rate.rate]
        >>> list(fetch_rows(Rate.select(*fields).where(Rate.currency == "DKK"), fields))
        [['DKK', 7]]
    """
    places = [
        (place, field.python_value)
        for place, field in enumerate(fields)
        if not isinstance(field, _PLAIN) or isinstance(field, _CONVERTED)
    ]
    for row in database.execute_sql(*written(query)).fetchall():
        values = list(row)
        for place, python_value in places:
            if values[place] is not None:
                values[place] = python_value(values[place])
        yield values


def refresh_statistics(models: Iterable[type[Model]]) -> None:
    """Let the database look at what is in tables now, by which it plans how to read them.

    PostgreSQL does so by itself, but once a minute: until then it takes a table that has just
    been filled for one of a few rows, and sorts all of it for each page. Call it outside of
    transactions when a table has become several times as large; it takes tenths of a second.

    Args:
        models: whose tables.

    Example::

        >>> refresh_statistics([Award])
    """
    if _is_postgres():
        for model in models:
            database.execute_sql(f'ANALYZE "{model._meta.table_name}"')


@contextmanager
def staged(
    model: type[Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterator[str]:
    """Put rows into a temporary table that statements of the block can join; yield its name.

    It is gone behind the block. Its columns are those of the fields, and ``place``: which of
    the rows it is, from 0. Outside of a transaction the block is one.

    Args:
        fields: names of the model's fields, one for each value of a row. JSON fields are
            not supported.

    Example::

        >>> with transaction(), staged(Rate, ("currency",), [("EUR",)]) as table:
        ...     database.execute_sql(f"SELECT place, currency FROM {table}").fetchall()
        [(0, 'EUR')]
    """
    meta = model._meta
    table, taken = f"{meta.table_name}_staged", [meta.fields[name] for name in fields]
    columns = ", ".join(f'"{field.column_name}"' for field in taken)
    gone = " ON COMMIT DROP" if _is_postgres() else ""
    adapt = _adapter(taken)
    numbered = ((*adapt(row), place) for place, row in enumerate(rows))
    with nullcontext() if database.obj.in_transaction() else transaction():
        database.execute_sql(
            f'CREATE TEMP TABLE "{table}"{gone} AS '
            f'SELECT {columns}, CAST(0 AS integer) AS place FROM "{meta.table_name}" WHERE 1 = 0'
        )
        _put(table, [*taken, _PLACE], numbered)
        yield f'"{table}"'
        database.execute_sql(f'DROP TABLE "{table}"')


def _is_postgres() -> bool:
    return isinstance(database.obj, peewee.PostgresqlDatabase)


def _put(table: str, fields: Sequence[peewee.Field], rows: Iterator[Sequence[Any]]) -> None:
    """Put adapted rows into a table."""
    names = ", ".join(f'"{field.column_name}"' for field in fields)
    cursor = database.obj.cursor()
    with peewee.__exception_wrapper__:
        if _is_postgres():
            _copy(cursor, f'"{table}" ({names})', rows)
        else:
            marks = ", ".join("?" * len(fields))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)


def _copy(cursor: Any, into: str, rows: Iterable[Sequence[Any]]) -> None:
    # What stands for NULL is a word that nobody knows.
    none = secrets.token_hex(8)
    buffer, given = io.StringIO(), iter(rows)
    while some := list(islice(given, 500)):
        buffer.write(_text(some, none))
    buffer.seek(0)
    cursor.copy_expert(f"COPY {into} FROM STDIN (NULL '{none}')", buffer, 1 << 16)


def _text(rows: list[Sequence[Any]], none: str) -> str:
    """Return rows as COPY reads them: columns parted by tabs, rows by line breaks."""
    told = [
        [none if value is None else value for value in row] if None in row else row for row in rows
    ]
    lines = ["\t".join(map(str, row)) for row in told]
    text = "\n".join(lines)
    # Looking at all of it once is faster than at each row, and at a row than at each value.
    if _is_plain(text, len(rows) - 1, sum(map(len, rows)) - len(rows)):
        return f"{text}\n"
    return "".join(
        f"{line}\n" if _is_plain(line, 0, len(row) - 1) else "\t".join(map(_escaped, row)) + "\n"
        for line, row in zip(lines, told, strict=True)
    )


def _is_plain(text: str, breaks: int, tabs: int) -> bool:
    """Whether a text has just the line breaks and tabs that were put there."""
    if "\\" in text or "\r" in text:
        return False
    return text.count("\n") == breaks and text.count("\t") == tabs


def _escaped(value: Any) -> str:
    text = str(value).replace("\\", "\\\\")
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


_PLACE = peewee.IntegerField(column_name="place")


def _adapter(fields: Sequence[peewee.Field]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return what turns a row into what the driver takes, touching only what must be."""
    places = [
        (place, field.db_value)
        for place, field in enumerate(fields)
        if not isinstance(field, _PLAIN) or isinstance(field, peewee.ForeignKeyField)
    ]

    if not places:
        return tuple

    def adapt(row: Sequence[Any]) -> Sequence[Any]:
        adapted = list(row)
        for place, db_value in places:
            adapted[place] = db_value(adapted[place])
        return adapted

    return adapt


# Plain to write, but not to read: SQLite has numbers for them.
_CONVERTED = (peewee.BooleanField, peewee.ForeignKeyField)
_PLAIN = (
    peewee.CharField, peewee.FixedCharField, peewee.TextField, peewee.IntegerField,
    peewee.BooleanField,
)  # fmt: skip
