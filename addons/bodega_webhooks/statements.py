"""Statements about many rows at once, as each engine is fastest at them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import peewee
from psycopg2.extras import execute_values

from bodega_sdk import UTCDateTimeField, database

_STAMP = UTCDateTimeField()
_PAGE = 1000


def on_postgres() -> bool:
    """Whether the shop's database is PostgreSQL rather than SQLite."""
    return isinstance(database.obj, peewee.PostgresqlDatabase)


def stamp(moment: datetime) -> str:
    """Return an instant as both engines take it."""
    text: str = _STAMP.db_value(moment)
    return text


def fetch(sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a query whose values are marked with ``?``."""
    rows: list[tuple[Any, ...]] = run(sql, values).fetchall()
    return rows


def run(sql: str, values: Sequence[Any] = ()) -> Any:
    """Run a statement whose values are marked with ``?``."""
    return database.obj.execute_sql(sql.replace("?", database.obj.param), tuple(values))


def marks(number: int) -> str:
    """Return as many marks as there are values in a list: ``?, ?, ?``."""
    return ", ".join("?" * number)


def update_each(
    table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], where: str
) -> None:
    """Set columns of many rows by their id, each to values of its own.

    Args:
        columns: names and PostgreSQL's types; the first is ``id``.
        rows: a value for each column.
        where: what must hold besides; the new values are in ``v``, the old ones in ``d``.
    """
    rows, names = list(rows), [name for name, _ in columns]
    if not rows:
        return
    changes = ", ".join(f"{name} = v.{name}" for name in names[1:])
    told = f"UPDATE {table} AS d SET {changes} FROM"
    of = f"AS v ({', '.join(names)}) WHERE d.id = v.id AND {where}"
    cursor = database.obj.cursor()
    with peewee.__exception_wrapper__:
        if on_postgres():
            template = f"({', '.join(f'%s::{kind}' for _, kind in columns)})"
            execute_values(cursor, f"{told} (VALUES %s) {of}", rows, template, _PAGE)
            return
        shown = ", ".join(f"? AS {name}" for name in names)
        cursor.executemany(f"{told} (SELECT {shown}) AS v WHERE d.id = v.id AND {where}", rows)
