"""What the engine's own catalogue says: tables, columns, foreign keys, triggers, sequences."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any

from bodega.database.connection import is_postgres
from bodega.errors import OperatorError


def quoted(name: str) -> str:
    """Return a name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


def tables_of(database: Any) -> list[str]:
    """Return the user's tables, by name; on SQLite also those that a virtual table writes to.

    A partition is no table of its own: what it holds is read and written through the whole,
    with which it is made and goes.
    """
    if is_postgres(database):
        query = (
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = current_schema()::regnamespace "
            "AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass "
            "AND objid = pg_class.oid AND deptype = 'e')"
        )
    else:
        query = (
            "SELECT name FROM pragma_table_list WHERE schema = 'main' "
            "AND type IN ('table', 'shadow') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
    return sorted(name for (name,) in database.execute_sql(query).fetchall())


_CONTENT = re.compile(r"content\s*=\s*['\"](\w+)['\"]", re.I)


def plain_tables(database: Any) -> list[str]:
    """Return the user's tables without those that a virtual table writes to."""
    if is_postgres(database):
        return tables_of(database)
    query = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
    shadows = {name for (name,) in database.execute_sql(query).fetchall()}
    return [table for table in tables_of(database) if table not in shadows]


def full_text_over(database: Any, tables: Iterable[str]) -> list[str]:
    """Return SQLite's FTS5 tables whose content is in one of these tables, by name.

    Such a table is an index: it goes with what it stands on, and can be made anew from it.
    """
    if is_postgres(database):
        return []
    query = "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%' ORDER BY 1"
    below, wanted = database.execute_sql(query).fetchall(), set(tables)
    return [name for name, sql in below if (found := _CONTENT.search(sql)) and found[1] in wanted]


def rebuild_full_text(database: Any, tables: Iterable[str]) -> None:
    """Make the FTS5 tables over these tables anew, in the open transaction."""
    for name in full_text_over(database, tables):
        table = quoted(name)
        database.execute_sql(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")


def columns_of(database: Any, table: str) -> tuple[str, ...]:
    """Return the columns that can be written, not the generated ones; none without the table."""
    if is_postgres(database):
        query = (
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
        )
        rows = database.execute_sql(query, (quoted(table),))
    else:
        query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
        rows = database.execute_sql(query, (table,))
    return tuple(name for (name,) in rows.fetchall())


def load_order(database: Any, tables: Iterable[str]) -> list[str]:
    """Order tables so that each stands behind those its foreign keys point to.

    Turned round, it is an order in which they can be dropped.

    Raises:
        OperatorError: on PostgreSQL, foreign keys form a circle and none can be deferred.
    """
    graph: dict[str, list[str]] = {table: [] for table in sorted(tables)}
    for child, parent in _foreign_keys(database):
        if child in graph and parent in graph and child != parent:
            graph[child].append(parent)
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        if not is_postgres(database):
            return list(graph)  # SQLite can defer every foreign key.
        raise OperatorError(
            f"the foreign keys of {' → '.join(error.args[1])} form a circle, so that none of "
            "these tables can be loaded first; declare one of the keys DEFERRABLE in a migration"
        ) from None


def _foreign_keys(database: Any) -> list[tuple[str, str]]:
    """Return (table, the table it points to); those that can be deferred need no order."""
    if is_postgres(database):
        query = (
            "SELECT child.relname, parent.relname FROM pg_constraint "
            "JOIN pg_class child ON child.oid = conrelid "
            "JOIN pg_class parent ON parent.oid = confrelid "
            "WHERE contype = 'f' AND NOT condeferrable "
            "AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        )
    else:
        query = (
            'SELECT child.name, key."table" FROM sqlite_master child '
            "JOIN pragma_foreign_key_list(child.name) key WHERE child.type = 'table' ORDER BY 1, 2"
        )
    return [(child, parent) for child, parent in database.execute_sql(query).fetchall()]


@contextmanager
def undisturbed(database: Any, tables: Iterable[str]) -> Iterator[None]:
    """Let rows be loaded as they are, in the open transaction.

    No trigger of these tables fires, and foreign keys that can wait are checked at the
    end of the block on PostgreSQL, at the commit on SQLite.
    """
    silent = _silent_on_postgres if is_postgres(database) else _silent_on_sqlite
    with silent(database, frozenset(tables)):
        yield


@contextmanager
def _silent_on_postgres(database: Any, tables: frozenset[str]) -> Iterator[None]:
    query = (
        "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE NOT tgisinternal AND tgenabled = 'O' "
        "AND relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
    )
    found = [row for row in database.execute_sql(query).fetchall() if row[0] in tables]
    for table, trigger in found:
        database.execute_sql(f"ALTER TABLE {quoted(table)} DISABLE TRIGGER {quoted(trigger)}")
    database.execute_sql("SET CONSTRAINTS ALL DEFERRED")
    yield
    # A table whose checks still wait cannot be altered.
    database.execute_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table, trigger in found:
        database.execute_sql(f"ALTER TABLE {quoted(table)} ENABLE TRIGGER {quoted(trigger)}")


@contextmanager
def _silent_on_sqlite(database: Any, tables: frozenset[str]) -> Iterator[None]:
    query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    found = [row for row in database.execute_sql(query).fetchall() if row[0] in tables]
    database.execute_sql("PRAGMA defer_foreign_keys = 1")
    # SQLite cannot disable a trigger.
    for _, trigger, _ in found:
        database.execute_sql(f"DROP TRIGGER {quoted(trigger)}")
    yield
    for _, _, statement in found:
        database.execute_sql(statement)


def catch_up_sequences(database: Any, table: str) -> None:
    """Have a table's own sequences go on behind the largest value there is.

    SQLite does so by itself when a row is inserted.
    """
    if not is_postgres(database):
        return
    for column in columns_of(database, table):
        row = database.execute_sql(
            "SELECT pg_get_serial_sequence(%s, %s)", (quoted(table), column)
        ).fetchone()
        if row[0] is not None:
            largest = f"max({quoted(column)})"
            database.execute_sql(
                f"SELECT setval(%s, {largest}) FROM {quoted(table)} HAVING {largest} IS NOT NULL",
                (row[0],),
            )
