"""Snapshots: reading many rows as they are at one moment, on a connection of its own.

For jobs that write a table into a file. PostgreSQL sends the rows by COPY, SQLite by a cursor;
the bytes are the same, and neither keeps more than a piece of them in memory.
"""

import csv
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import peewee
import psycopg2

from bodega_sdk.models import database

#: Rows that are fetched at once.
_BATCH = 1000
#: What no JSON text holds: with these, COPY writes a text as it is.
_RAW = "FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02'"


class Snapshot:
    """A connection that sees the shop as it was when the first row was read.

    Args:
        connection: of the engine's driver, in a transaction that only reads.
        postgres: whether it is one to PostgreSQL.

    Example::

        >>> with snapshot() as shop, open(folder("loyalty") / "rates.csv", "wb") as file:
        ...     shop.write_csv(["currency"], "FROM loyalty_rate WHERE rate > 1000", (), file)
    """

    def __init__(self, connection: Any, postgres: bool) -> None:
        self._connection = connection
        self.postgres = postgres

    def bound(self, query: Any) -> tuple[str, Sequence[Any]]:
        """Return a query of peewee as SQL to be part of a larger one, and the values of its marks.

        PostgreSQL gets them in the SQL itself: COPY takes none.
        """
        sql, params = query.sql()
        if not self.postgres:
            return sql, params
        with self._connection.cursor() as cursor:
            return cursor.mogrify(sql, params).decode(), ()

    def rows(self, sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, a thousand read at once."""
        named = ("snapshot",) if self.postgres else ()
        cursor = self._connection.cursor(*named)
        try:
            cursor.execute(sql, params or None) if self.postgres else cursor.execute(sql, params)
            while found := cursor.fetchmany(_BATCH):
                yield from found
        finally:
            cursor.close()

    def write_csv(
        self,
        columns: Sequence[str],
        source: str,
        params: Sequence[Any],
        to: BinaryIO,
        delimiter: str = ",",
    ) -> None:
        """Write rows as CSV, a line feed behind each: cells are quoted where they must be.

        Args:
            columns: SQL expressions of texts; what is empty or null is an empty cell.
            source: the rest of the query, from ``FROM`` on.
            params: values of its marks, as :meth:`bound` returned them.
            to: takes the bytes, in UTF-8.
        """
        # A row of one empty cell is no empty line, which a reader would leave out.
        empty = "COALESCE({}, '')" if len(columns) == 1 else "NULLIF({}, '')"
        cells = ", ".join(empty.format(column) for column in columns)
        sql = f"SELECT {cells} {source}"
        if self.postgres:
            self._copy(sql, f"FORMAT csv, DELIMITER {quoted(delimiter)}", to)
        else:
            self._csv(sql, params, to, delimiter)

    def write_lines(self, text: str, source: str, params: Sequence[Any], to: BinaryIO) -> None:
        """Write a text of each row, such as a JSON object, a line feed behind each.

        Args:
            text: SQL expression; its value has no control characters.
            source: the rest of the query, from ``FROM`` on.
            params: values of its marks, as :meth:`bound` returned them.
            to: takes the bytes, in UTF-8.
        """
        sql = f"SELECT {text} {source}"
        if self.postgres:
            self._copy(sql, _RAW, to)
        else:
            self._lines(sql, params, to)

    def _copy(self, sql: str, options: str, to: BinaryIO) -> None:
        with self._connection.cursor() as cursor:
            cursor.copy_expert(f"COPY ({sql}) TO STDOUT WITH ({options})", to)

    def _csv(self, sql: str, params: Sequence[Any], to: BinaryIO, delimiter: str) -> None:
        cursor, lines = self._connection.execute(sql, params), _Lines()
        # Cells with either of these are quoted, as by COPY; the lines themselves end otherwise.
        writer = csv.writer(lines, delimiter=delimiter, lineterminator="\r\n")
        while found := cursor.fetchmany(_BATCH):
            writer.writerows(found)
            to.write("".join([f"{line[:-2]}\n" for line in lines.taken]).encode())
            lines.taken.clear()

    def _lines(self, sql: str, params: Sequence[Any], to: BinaryIO) -> None:
        cursor = self._connection.execute(sql, params)
        while found := cursor.fetchmany(_BATCH):
            to.write("".join([f"{line}\n" for (line,) in found]).encode())


def quoted(text: str) -> str:
    """Return a text as a literal of SQL.

    Args:
        text: anything but NUL.

    Example::

        >>> quoted("it's")
        "'it''s'"
    """
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


class _Lines:
    """Takes the lines of a writer, one by one."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.write = self.taken.append


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Open a connection whose reads all see the shop at one moment; nothing can be written.

    It is none of the pool's: however long reading takes, requests have theirs. Use it in jobs,
    where few run at a time.

    Example::

        >>> with snapshot() as shop:
        ...     list(shop.rows("SELECT currency FROM loyalty_rate WHERE rate > 1000"))
        []
    """
    postgres = isinstance(database.obj, peewee.PostgresqlDatabase)
    with peewee.__exception_wrapper__:
        connection = _postgres() if postgres else _sqlite()
    try:
        yield Snapshot(connection, postgres)
    finally:
        # Also out of the middle of a COPY: the server gives up when nobody listens.
        connection.close()


def _postgres() -> Any:
    known = database.obj
    connection = psycopg2.connect(dbname=known.database, **known.connect_params)
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    connection.set_client_encoding("UTF8")
    return connection


def _sqlite() -> Any:
    path = os.path.abspath(database.obj.database)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("BEGIN")
    return connection
