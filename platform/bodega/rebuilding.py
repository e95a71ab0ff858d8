"""Rebuilding the tables of a backup: is it possible here, emptying, making them again.

SQLite executes the statements that the backup holds. PostgreSQL runs the migrations of
the kernel and the addons to exactly the state that the backup had.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from playhouse.migrations import Migration

from bodega.addons.archive import engine_of
from bodega.addons.discovery import Catalogue
from bodega.addons.graph import closure
from bodega.addons.loading import migrations_folder
from bodega.bundles import BackupInfo
from bodega.database.connection import is_postgres
from bodega.database.migrating import KERNEL_MIGRATIONS, migrate
from bodega.database.structure import quoted, tables_of
from bodega.errors import AddonError, OperatorError

if TYPE_CHECKING:
    from bodega.shop import Shop

KERNEL = "bodega"
# Heartbeats; on PostgreSQL they are in the shop's database, but they are no part of the shop.
_PROCESSES = "bodega_process"
#: What is about the processes that run, not about the shop.
_PASSING = (_PROCESSES, "bodega_presence")
_NAMED = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def shop_tables(database: Any) -> list[str]:
    """Return the tables that belong to a backup."""
    return [table for table in tables_of(database) if table not in _PASSING]


def take_time(database: Any) -> None:
    """Lift the limits that hold for requests and jobs, in the open transaction."""
    if is_postgres(database):
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            database.execute_sql(f"SET LOCAL {name} = 0")


def sort_on_disk(database: Any) -> None:
    """Have SQLite sort what it indexes in files, as long as this connection lasts."""
    if not is_postgres(database):
        database.execute_sql("PRAGMA temp_store = file")


def check_target(shop: "Shop", *, replace: bool) -> None:
    """Refuse a shop that runs, or one that has something unless it is to be replaced.

    Raises:
        OperatorError: naming what is in the way.
    """
    runtime = shop.databases.runtime
    living = shop.register.living() if runtime.table_exists(_PROCESSES) else []
    if living:
        raise OperatorError(
            f"the shop is running: {', '.join(map(str, living))}; stop it, then restore"
        )
    if replace:
        return
    tables = shop_tables(shop.databases.shop)
    files = shop.settings.home / "files"
    if tables:
        found = f"the database has {len(tables)} tables already, e.g. {tables[0]}"
    elif any(path.is_file() for path in files.rglob("*")):
        found = f"there are files in {files} already"
    else:
        return
    raise OperatorError(
        f"{found}; restore into an empty database and home, "
        "or add --replace to have all of it dropped first"
    )


def check_possible(database: Any, catalogue: Catalogue, info: BackupInfo) -> None:
    """Refuse a backup that cannot be rebuilt by what is installed here.

    Raises:
        OperatorError: another engine, or an older Bodega than the backup's.
        AddonError: an addon's package is missing, or is not of the version it takes.
    """
    here = engine_of(database)
    if info.engine != here:
        raise OperatorError(
            f"the backup is of a shop on {_NAMED.get(info.engine, info.engine)}, and this one runs "
            f"on {_NAMED[here]}; {'unset' if is_postgres(database) else 'set'} DATABASE_URL"
        )
    _check_migrations(info, KERNEL, KERNEL_MIGRATIONS, f"install Bodega {info.bodega}")
    if is_postgres(database):
        versions = {addon.name: addon.version for addon in info.addons}
        for name in info.migrations.keys() - {KERNEL}:
            version = f"{name} {versions[name]}"
            _check_migrations(info, name, _folder(catalogue, name, version), f"install {version}")


def _folder(catalogue: Catalogue, name: str, version: str) -> Path:
    manifest = catalogue.manifests.get(name)
    folder = migrations_folder(manifest) if manifest is not None else None
    if folder is None:
        raise AddonError(
            f"the backup has tables of {version}, whose package is not installed or cannot be "
            "read; install it, then restore"
        )
    return folder


def _check_migrations(info: BackupInfo, owner: str, folder: Path, remedy: str) -> None:
    """Running up to the last migration that had run must be running exactly those that had."""
    ran = set(info.migrations[owner])
    there = [item.name for item in Migration.load_directory(str(folder))]
    unknown = sorted(ran - set(there))
    if unknown:
        raise AddonError(
            f"migration {unknown[0]} of {owner} had run in the backup, and what is installed does "
            f"not bring it; {remedy}"
        )
    between = [name for name in there[: _behind(there, ran)] if name not in ran]
    if between and info.engine == "postgresql":
        raise AddonError(
            f"migration {between[0]} of {owner} had not run in the backup, but later ones had; "
            f"{remedy}"
        )


def _behind(names: list[str], ran: set[str]) -> int:
    return max((place for place, name in enumerate(names, 1) if name in ran), default=0)


def drop_everything(database: Any) -> None:
    """Drop what there is, in the open transaction; what extensions own stays."""
    if is_postgres(database):
        statements = [row[0] for row in database.execute_sql(_DROPS).fetchall()]
    else:
        # A virtual table takes those along that it writes to.
        query = (
            "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "ORDER BY type DESC, sql NOT LIKE 'CREATE VIRTUAL%'"
        )
        found = database.execute_sql(query).fetchall()
        statements = [f"DROP {kind} IF EXISTS {quoted(name)}" for kind, name in found]
    for statement in statements:
        database.execute_sql(statement)


_DROPS = """
SELECT 'DROP ' || kind || ' IF EXISTS ' || thing || ' CASCADE' FROM (
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
           WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
           oid::regclass::text, 'pg_class'::regclass, oid, CASE relkind WHEN 'S' THEN 2 ELSE 1 END
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text, 'pg_proc'::regclass, oid, 3
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'TYPE', pg_type.oid::regtype::text, 'pg_type'::regclass, pg_type.oid, 4
    FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE typnamespace = current_schema()::regnamespace
    AND (typtype IN ('e', 'd', 'r') OR relkind = 'c')
) AS found (kind, thing, class, id, place)
WHERE NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = class AND objid = id AND deptype = 'e')
ORDER BY place, thing
"""


def make_tables(database: Any, catalogue: Catalogue, info: BackupInfo) -> None:
    """Make the tables of a backup, empty, in the open transaction.

    Raises:
        AddonError: a migration fails, or makes other tables than the backup has.
    """
    if is_postgres(database):
        _run_migrations(database, catalogue, info)
    else:
        _execute_tables(database, info)
    expected, found = {entry.table for entry in info.tables}, set(shop_tables(database))
    if expected != found:
        odd = ", ".join(sorted(expected ^ found))
        raise AddonError(
            f"the tables made here are not those of the backup; they differ in: {odd}; "
            "restore with the versions of the addons that it names"
        )
    _empty(database, sorted(found))


def _run_migrations(database: Any, catalogue: Catalogue, info: BackupInfo) -> None:
    # Whoever depends on another has a larger closure.
    addons = sorted(
        info.migrations.keys() - {KERNEL},
        key=lambda name: (len(closure([name], catalogue.manifests)), name),
    )
    for owner in (KERNEL, *addons):
        ran = set(info.migrations[owner])
        folder = KERNEL_MIGRATIONS if owner == KERNEL else _folder(catalogue, owner, owner)
        there = [item.name for item in Migration.load_directory(str(folder))]
        if ran:
            migrate(database, owner, folder, target=there[_behind(there, ran) - 1])


def _execute_tables(database: Any, info: BackupInfo) -> None:
    made = [item for item in info.schema if item[0] == "table"]
    # A virtual table makes those that it writes to by itself.
    for _, name, statement in sorted(made, key=lambda item: "CREATE VIRTUAL" not in item[2]):
        if not database.table_exists(name):
            database.execute_sql(statement)


def _empty(database: Any, tables: list[str]) -> None:
    """Delete the rows that migrations and virtual tables begin with."""
    if is_postgres(database):
        database.execute_sql(f"TRUNCATE {', '.join(map(quoted, tables))}")
        return
    for table in tables:
        database.execute_sql(f"DELETE FROM {quoted(table)}")


def finish_tables(database: Any, info: BackupInfo) -> None:
    """Make what stands on the tables; PostgreSQL's migrations have done so."""
    for kind in ("index", "view", "trigger"):
        for found, _, statement in info.schema:
            if found == kind:
                database.execute_sql(statement)
