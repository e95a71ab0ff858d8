"""Rows of an archive that point to what was deleted meanwhile: they go the way their key says."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from bodega.addons.foreign_keys import ForeignKey, foreign_keys
from bodega.database.connection import is_postgres
from bodega.database.structure import quoted

_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
    AND conrelid = ANY (%s::text[]::regclass[]) ORDER BY 1, 2
"""


@contextmanager
def left_out(database: Any, tables: Collection[str]) -> Iterator[dict[str, int]]:
    """Let the block load rows into tables whose foreign keys do not hold any more.

    At its end each key does what it would have done when the row it points to was
    deleted, and holds again. Call it in :func:`bodega.database.migrating.schema_change`.

    Yields:
        Table → rows that were deleted; filled at the end.
    """
    deleted: dict[str, int] = {}
    if not is_postgres(database):
        yield deleted  # A change of the schema has the keys off.
        _sweep(database, tables, deleted)
        return
    found = database.execute_sql(_CONSTRAINTS, ([quoted(name) for name in tables],)).fetchall()
    keys = foreign_keys(database)
    for table, name, _ in found:
        database.execute_sql(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name)}")
    yield deleted
    _sweep(database, tables, deleted, keys)
    for table, name, definition in found:
        database.execute_sql(f"ALTER TABLE {table} ADD CONSTRAINT {quoted(name)} {definition}")


def _sweep(
    database: Any,
    tables: Collection[str],
    deleted: dict[str, int],
    keys: list[ForeignKey] | None = None,
) -> None:
    own = [key for key in keys or foreign_keys(database) if key.table in tables]
    # What goes may be pointed to itself.
    while sum(_apply(database, key, deleted) for key in own):
        pass


def _apply(database: Any, key: ForeignKey, deleted: dict[str, int]) -> int:
    """Do to the orphans of a key what it says; return how many rows were deleted."""
    table, columns = quoted(key.table), [quoted(name) for name in key.columns.split(", ")]
    pairs = zip(key.parent_columns.split(", "), columns, strict=True)
    same = " AND ".join(f"parent.{quoted(name)} = {table}.{column}" for name, column in pairs)
    there = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    orphans = f"{there} AND NOT EXISTS (SELECT 1 FROM {quoted(key.parent)} parent WHERE {same})"
    if key.on_delete == "SET NULL":
        nulls = ", ".join(f"{column} = NULL" for column in columns)
        database.execute_sql(f"UPDATE {table} SET {nulls} WHERE {orphans}")
        return 0
    rows: int = database.execute_sql(f"DELETE FROM {table} WHERE {orphans}").rowcount
    if rows:
        deleted[key.table] = deleted.get(key.table, 0) + rows
    return rows
