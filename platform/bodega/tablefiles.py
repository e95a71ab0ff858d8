"""Tables as members of a zip file, and back: streamed, in the engine's own terms.

PostgreSQL writes what ``COPY`` writes as text, SQLite one JSON array for each row. Either
way a row is a line, so that rows are counted without being understood, and a table never
stands in memory. A file is read by the engine that wrote it.
"""

import hashlib
import io
import json
import sqlite3
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import psycopg2

from bodega.database.connection import is_postgres
from bodega.database.structure import (
    catch_up_sequences,
    columns_of,
    load_order,
    quoted,
    tables_of,
    undisturbed,
)
from bodega.errors import OperatorError

__all__ = [
    "TableFile",
    "Tell",
    "dump_table",
    "load_order",
    "load_table",
    "load_tables",
    "tables_of",
    "verify_table",
]
_PIECE = 256 * 1024
_BLOB = "$b64"

#: Told now and then of which table how many rows are done.
Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table in a bundle.

    Args:
        columns: those that are stored; generated ones are computed again.
        sha256: of the member's content.
        member: its name in the zip file.
    """

    table: str
    columns: tuple[str, ...]
    rows: int
    sha256: str
    member: str

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the entry that :func:`dataclasses.asdict` gave to a JSON document."""
        return cls(**{**told, "columns": tuple(told["columns"])})


def dump_table(
    database: Any, table: str, bundle: zipfile.ZipFile, tell: Tell | None = None
) -> TableFile:
    """Write a table to a new member of a zip file, in the order of its primary key.

    Raises:
        OperatorError: the table cannot be read.
    """
    columns = columns_of(database, table)
    if not columns:
        raise OperatorError(f"there is no table {table} in this database")
    query = _select(database, table, columns)
    member = f"tables/{table}.{'copy' if is_postgres(database) else 'jsonl'}"
    with bundle.open(member, "w", force_zip64=True) as file:
        tally = _Tally(file, table, tell)
        with io.BufferedWriter(tally, _PIECE) as out, _one_sentence(table, "read"):
            (_copy_out if is_postgres(database) else _write_lines)(database, query, out)
    return TableFile(table, columns, tally.rows, tally.digest.hexdigest(), member)


class _Tally(io.RawIOBase):
    """Passes bytes on; counts their lines and digests them."""

    def __init__(self, file: Any, table: str, tell: Tell | None) -> None:
        self._file, self._table, self._tell = file, table, tell
        self.digest = hashlib.sha256()
        self.rows = 0

    def writable(self) -> bool:
        """See :class:`io.RawIOBase`."""
        return True

    def write(self, data: Any) -> int:
        """See :class:`io.RawIOBase`."""
        piece = bytes(data)
        self._file.write(piece)
        self.digest.update(piece)
        self.rows += piece.count(b"\n")
        if self._tell is not None:
            self._tell(self._table, self.rows)
        return len(piece)


@contextmanager
def _one_sentence(table: str, what: str) -> Iterator[None]:
    """Turn what the engine says into one sentence."""
    try:
        yield
    except (psycopg2.Error, sqlite3.Error) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OperatorError(f"table {table} cannot be {what}: {said}") from error


def _select(database: Any, table: str, columns: Iterable[str]) -> str:
    key = database.get_primary_keys(table)
    if not key and not is_postgres(database):
        order = " ORDER BY rowid"
    else:
        order = f" ORDER BY {_names(key)}" if key else ""
    return f"SELECT {_names(columns)} FROM {quoted(table)}{order}"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(quoted, columns))


def _copy_out(database: Any, query: str, out: io.BufferedIOBase) -> None:
    with database.connection().cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT text, ENCODING 'UTF8')", out)


def _write_lines(database: Any, query: str, out: io.BufferedIOBase) -> None:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_wrapped).encode
    for row in database.connection().execute(query):
        out.write(encode(row).encode() + b"\n")


def _wrapped(value: bytes) -> dict[str, str]:
    return {_BLOB: b64encode(value).decode()}


def verify_table(entry: TableFile, bundle: zipfile.ZipFile) -> None:
    """Read a member to its end and compare it with its entry.

    Raises:
        OperatorError: it is not what was written.
    """
    digest, rows = hashlib.sha256(), 0
    try:
        with bundle.open(entry.member) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                rows += piece.count(b"\n")
    except (KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise _damaged(entry, f"{entry.member}: {error}") from None
    if rows != entry.rows:
        raise _damaged(entry, f"{entry.member} has {rows} rows, expected {entry.rows}")
    if digest.hexdigest() != entry.sha256:
        raise _damaged(entry, f"the checksum of {entry.member} is another")


def _damaged(entry: TableFile, reason: str) -> OperatorError:
    return OperatorError(
        f"the file of table {entry.table} is damaged: {reason}; take another copy of the bundle"
    )


def load_table(database: Any, entry: TableFile, bundle: zipfile.ZipFile) -> int:
    """Put the rows of a member into its table, which is there and empty.

    Nothing is written unless the member is whole. Sequences go on behind the rows.

    Returns:
        How many rows.

    Raises:
        OperatorError: the member is damaged, or the table is not empty, has other columns
            or refuses the rows.
    """
    verify_table(entry, bundle)
    _check_columns(database, entry)
    load = _copy_in if is_postgres(database) else _insert_lines
    with database.atomic(), bundle.open(entry.member) as file, _one_sentence(entry.table, "loaded"):
        _check_empty(database, entry.table)
        load(database, entry, file)
        catch_up_sequences(database, entry.table)
    return entry.rows


def load_tables(
    database: Any, entries: Iterable[TableFile], bundle: zipfile.ZipFile, tell: Tell | None = None
) -> int:
    """Load tables that may point to each other, all or none; triggers do not fire.

    Returns:
        How many rows.

    Raises:
        OperatorError: see :func:`load_table` and :func:`load_order`.
    """
    waiting = {entry.table: entry for entry in entries}
    rows = 0
    with database.atomic(), undisturbed(database, waiting):
        for table in load_order(database, waiting):
            if tell is not None:
                tell(table, waiting[table].rows)
            rows += load_table(database, waiting[table], bundle)
    return rows


def _check_columns(database: Any, entry: TableFile) -> None:
    found, expected = set(columns_of(database, entry.table)), set(entry.columns)
    if found != expected:
        gone = ", ".join(sorted(expected - found)) or "none"
        new = ", ".join(sorted(found - expected)) or "none"
        raise OperatorError(
            f"table {entry.table} has other columns than its file: only in the file: {gone}; "
            f"only in the table: {new}; load it with the version of its addon that wrote it"
        )


def _check_empty(database: Any, table: str) -> None:
    if database.execute_sql(f"SELECT 1 FROM {quoted(table)} LIMIT 1").fetchone():
        raise OperatorError(f"table {table} is not empty; rows are loaded into empty tables only")


def _copy_in(database: Any, entry: TableFile, file: Any) -> None:
    into = f"{quoted(entry.table)} ({_names(entry.columns)})"
    with database.connection().cursor() as cursor:
        cursor.copy_expert(f"COPY {into} FROM STDIN (FORMAT text, ENCODING 'UTF8')", file, _PIECE)


def _insert_lines(database: Any, entry: TableFile, file: Any) -> None:
    marks = ", ".join("?" * len(entry.columns))
    into = f"{quoted(entry.table)} ({_names(entry.columns)})"
    database.connection().executemany(f"INSERT INTO {into} VALUES ({marks})", _rows(file))


def _rows(file: Any) -> Iterator[list[Any]]:
    for line in io.BufferedReader(file, _PIECE):
        yield [
            b64decode(value[_BLOB]) if isinstance(value, dict) else value
            for value in json.loads(line)
        ]
