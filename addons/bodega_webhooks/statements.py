"""Statements about many rows at once, as each engine is fastest at them.

Python's driver of SQLite gives up the interpreter for each row, and gets it back late from
a loop that is busy: ten times a second is nothing, ten thousand times is a standstill. So
rows go in and out of SQLite as one value, JSON. PostgreSQL's driver writes each value into the
statement by itself; there they go in so too.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import peewee

from bodega_sdk import UTCDateTimeField, database

_STAMP = UTCDateTimeField()


def on_postgres() -> bool:
    """Whether the shop's database is PostgreSQL rather than SQLite."""
    return isinstance(database.obj, peewee.PostgresqlDatabase)


def stamp(moment: datetime) -> str:
    """Return an instant as both engines take it."""
    if moment.tzinfo is UTC:
        # The same, five times as fast.
        return f"{moment.isoformat(timespec='microseconds')[:26]}Z"
    text: str = _STAMP.db_value(moment)
    return text


def run(sql: str, values: Sequence[Any] = ()) -> Any:
    """Run a statement whose values are marked with ``?``."""
    return database.obj.execute_sql(sql.replace("?", database.obj.param), tuple(values))


def fetch(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the few rows of a query whose values are marked with ``?``."""
    rows: list[tuple[Any, ...]] = run(sql, values).fetchall()
    return rows


def fetch_many(columns: Sequence[str], rest: str, values: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the rows of a query.

    Args:
        columns: what is selected, ``d.id``; their last parts must differ.
        rest: the query from its FROM on.
    """
    if on_postgres():
        return list(fetch(f"SELECT {', '.join(columns)} {rest}", values))
    names = ", ".join(name.rpartition(".")[2] for name in columns)
    inner = f"SELECT {', '.join(columns)} {rest}"
    ((text,),) = fetch(f"SELECT json_group_array(json_array({names})) FROM ({inner})", values)
    found: list[Sequence[Any]] = orjson.loads(text)
    return found


def marks(number: int) -> str:
    """Return as many marks as there are values in a list: ``?, ?, ?``."""
    return ", ".join("?" * number)


#: A column's name and its type on PostgreSQL.
Column = tuple[str, str]


def insert_each(table: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> None:
    """Insert many rows."""
    names = ", ".join(f'"{name}"' for name, _ in columns)
    run(f"INSERT INTO {table} ({names}) {_from_json(columns)}", [_as_json(rows)])


def update_each(
    table: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], where: str
) -> None:
    """Set columns of many rows by their id, each to values of its own.

    Args:
        columns: the first is ``id``.
        rows: a value for each column.
        where: what must hold besides; the new values are in ``v``, the old ones in ``d``.
    """
    names = [name for name, _ in columns]
    changes = ", ".join(f"{name} = v.{name}" for name in names[1:])
    told, of = f"UPDATE {table} AS d SET {changes} FROM", f"WHERE d.id = v.id AND {where}"
    run(f"{told} ({_from_json(columns)}) AS v {of}", [_as_json(rows)])


def _from_json(columns: Sequence[Column]) -> str:
    if on_postgres():
        cells = ", ".join(
            f"(value ->> {place})::{kind} AS {name}" for place, (name, kind) in enumerate(columns)
        )
        return f"SELECT {cells} FROM jsonb_array_elements(?::jsonb) AS rows (value)"
    shown = ", ".join(
        f"json_extract(value, '$[{place}]') AS {name}" for place, (name, _) in enumerate(columns)
    )
    return f"SELECT {shown} FROM json_each(?) WHERE true"


def _as_json(rows: Iterable[Sequence[Any]]) -> str:
    return orjson.dumps(list(rows)).decode()
