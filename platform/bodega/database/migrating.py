"""Migrations: one folder and one history table for each addon, and for the kernel."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playhouse.migrations import MigrationError, Runner

from bodega.database.connection import is_postgres
from bodega.errors import AddonError

KERNEL_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do; it is ours in this database.
_LOCK = 0x0B0D_E6A0


@contextmanager
def schema_change(database: Any) -> Iterator[None]:
    """Hold the one lock of schema changes and run the block in one transaction."""
    if is_postgres(database):
        with database.atomic():
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield
    else:
        with _foreign_keys_off(database), database.atomic():
            yield
            _check_foreign_keys(database)


@contextmanager
def _foreign_keys_off(database: Any) -> Iterator[None]:
    # SQLite alters a table by rebuilding it; dropping the old one would cascade.
    if database.in_transaction():
        yield
        return
    database.execute_sql("PRAGMA foreign_keys = 0")
    try:
        yield
    finally:
        database.execute_sql("PRAGMA foreign_keys = 1")


def _check_foreign_keys(database: Any) -> None:
    broken = database.execute_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        table, _, parent, _ = broken[0]
        raise AddonError(f"a migration left rows of {table} that point to no row of {parent}")


def pending(database: Any, owner: str, folder: Path) -> list[str]:
    """Return the names of the migrations that have not run yet."""
    return [item.name for item in _runner(database, owner, folder).status() if not item.applied]


def migrate(database: Any, owner: str, folder: Path) -> list[str]:
    """Run what is pending; call it inside :func:`schema_change`.

    Returns:
        The names of the migrations that ran.

    Raises:
        AddonError: a migration failed; nothing of it is left.
    """
    try:
        done: list[str] = _runner(database, owner, folder).up()
    except (MigrationError, SyntaxError, ImportError) as error:
        raise AddonError(f"migrations of {owner}: {error}") from error
    return done


def _runner(database: Any, owner: str, folder: Path) -> Runner:
    return Runner(database, str(folder), table_name=f"{owner}_migration")
