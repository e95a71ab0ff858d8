"""What a database's catalogue says of its tables, comparable."""

from dataclasses import dataclass
from typing import Any

from bodega.database.connection import is_postgres
from bodega.database.structure import plain_tables, quoted

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull,
    EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary
        AND attnum = ANY (indkey)),
    coalesce(pg_get_expr(adbin, adrelid), attidentity::text), attgenerated <> ''
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_INDEXES = """
SELECT item.relname, indisunique, indisprimary, indpred IS NULL AND NOT 0 = ANY (indkey),
    (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(indkey)
        WITH ORDINALITY k(number, place)
        JOIN pg_attribute ON attrelid = indrelid AND attnum = number)
FROM pg_index JOIN pg_class item ON item.oid = indexrelid
WHERE indrelid = to_regclass(%s) ORDER BY 1
"""
_OBJECTS = """
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'i' THEN 'index'
    WHEN 'S' THEN 'sequence' ELSE 'view' END, relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r','p','i','S','v','m','f')
UNION ALL SELECT 'trigger', tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace ORDER BY 1, 2
"""
_DEFINITIONS = (
    "SELECT table_name, ordinal_position, column_name, data_type, character_maximum_length, "
    "is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = current_schema() ORDER BY 1, 2",
    "SELECT 'index', indexname, indexdef FROM pg_indexes "
    "WHERE schemaname = current_schema() ORDER BY 2",
    "SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = current_schema()::regnamespace ORDER BY 2, 3",
    "SELECT 'relation', relkind::text, relname FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind <> 't' ORDER BY 2, 3",
    "SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger "
    "WHERE NOT tgisinternal ORDER BY 2",
    "SELECT 'function', proname, pg_get_function_identity_arguments(oid) FROM pg_proc "
    "WHERE pronamespace = current_schema()::regnamespace ORDER BY 2, 3",
    "SELECT 'type', typname FROM pg_type WHERE typnamespace = current_schema()::regnamespace "
    "AND typtype IN ('e', 'd', 'r') ORDER BY 2",
    "SELECT 'schema', nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 2",
    "SELECT 'extension', extname FROM pg_extension ORDER BY 2",
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the engine knows it."""

    name: str
    type: str
    null: bool
    primary: bool
    default: str | None
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index; ``plain`` when it is over whole columns and all rows."""

    name: str
    unique: bool
    primary: bool
    plain: bool
    columns: tuple[str, ...]


def columns(database: Any, table: str) -> dict[str, Column]:
    """Return a table's columns by name."""
    if is_postgres(database):
        rows = database.execute_sql(_COLUMNS, (quoted(table),)).fetchall()
        return {row[0]: Column(*row) for row in rows}
    rows = database.execute_sql(
        "SELECT name, upper(type), \"notnull\" = 0 AND pk = 0, pk > 0, dflt_value, hidden > 1 "
        "FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid", (table,),
    ).fetchall()  # fmt: skip
    return {
        name: Column(name, kind, bool(null), bool(pk), default, bool(generated))
        for name, kind, null, pk, default, generated in rows
    }


def indexes(database: Any, table: str) -> list[Index]:
    """Return a table's indexes."""
    if is_postgres(database):
        rows = database.execute_sql(_INDEXES, (quoted(table),)).fetchall()
        return [Index(n, u, p, plain, tuple((c or "").split(","))) for n, u, p, plain, c in rows]
    found = database.execute_sql(
        'SELECT name, "unique", origin, partial FROM pragma_index_list(?)', (table,)
    ).fetchall()
    return [_sqlite_index(database, *row) for row in found]


def _sqlite_index(database: Any, name: str, unique: int, origin: str, partial: int) -> Index:
    rows = database.execute_sql(
        "SELECT name FROM pragma_index_info(?) ORDER BY seqno", (name,)
    ).fetchall()
    names = [column for (column,) in rows]
    plain = not partial and None not in names
    return Index(name, bool(unique), origin == "pk", plain, tuple(filter(None, names)))


def objects(database: Any) -> set[tuple[str, str]]:
    """Return (kind, name) of everything that has a name, but for what the engine makes itself."""
    if is_postgres(database):
        return set(database.execute_sql(_OBJECTS).fetchall())
    rows = database.execute_sql("SELECT type, name FROM sqlite_master").fetchall()
    return {(kind, name) for kind, name in rows if not name.startswith("sqlite_")}


def definitions(database: Any) -> list[tuple[Any, ...]]:
    """Return all definitions in the database, comparable byte for byte."""
    if not is_postgres(database):
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2, 3"
        return [tuple(row) for row in database.execute_sql(query).fetchall()]
    return [tuple(row) for query in _DEFINITIONS for row in database.execute_sql(query).fetchall()]


def rows(database: Any, tables: list[str] | None = None) -> dict[str, list[str]]:
    """Return the rows of tables as text, each table's in an order of their own."""
    found: dict[str, list[str]] = {}
    for table in plain_tables(database) if tables is None else tables:
        every = database.execute_sql(f"SELECT * FROM {quoted(table)}").fetchall()
        found[table] = sorted(map(repr, every))
    return found


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Return the tables whose rows differ."""
    return sorted(t for t in before.keys() | after.keys() if before.get(t) != after.get(t))
