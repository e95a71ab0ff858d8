"""What is in a shop, and so must be in its copy."""

from pathlib import Path
from typing import Any

from bodega.backup import BackupInfo
from bodega.database.connection import is_postgres
from bodega.database.structure import quoted, tables_of
from bodega.shop import Shop

ODD = ['Café "lamp", 5\'', "a\tb\\nc\\N", "灯 🪔", "e\u0301 \u2028", "{} [null] \\."]
CSV = 'sku,name,price\r\nI-1,"Chair, ""old""",1.00\r\nI-2,Bench,x\r\nI-3,Stool,3\r\n'


def rows_of(database: Any) -> dict[str, list[str]]:
    """Return every row of every table, as the engine prints it.

    The audit log goes on: backing up and restoring are entries themselves.
    """
    found = {}
    for table in tables_of(database):
        if table not in ("bodega_process", "bodega_presence", "bodega_audit", "bodega_audit_head"):
            shown = "t.*::text" if is_postgres(database) else "*"
            cursor = database.execute_sql(f"SELECT {shown} FROM {quoted(table)} t")
            rows = map(repr, cursor.fetchall())
            found[table] = sorted(row for row in rows if "bodega_audit" not in row)
    return found


def schema_of(database: Any) -> list[Any]:
    """Return what the engine says of its tables, columns, indexes and constraints."""
    if not is_postgres(database):
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master"
        return sorted(map(repr, database.execute_sql(query).fetchall()))
    queries = (
        "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, udt_name, "
        "character_maximum_length FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    )
    rows = [repr(row) for query in queries for row in database.execute_sql(query).fetchall()]
    return sorted(rows)


def files_of(home: Path) -> dict[str, bytes]:
    folder = home / "files"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def everything(shop: Shop) -> tuple[Any, ...]:
    """Return all that a backup must bring back."""
    database = shop.databases.shop
    return rows_of(database), schema_of(database), files_of(shop.settings.home)


def nothing_is_there(shop: Shop) -> bool:
    home = shop.settings.home
    left = [path.name for path in home.glob("*") if path.is_dir() and path.name != "run"]
    return tables_of(shop.databases.shop) == [] and left == []


def row_count(info: BackupInfo, table: str) -> int:
    return next(entry.rows for entry in info.tables if entry.table == table)
