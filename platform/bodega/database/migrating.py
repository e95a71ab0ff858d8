"""Migrations: one folder and one history table for each addon, and for the kernel."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from bodega.database.connection import is_postgres
from bodega.errors import AddonError

KERNEL_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do; it is ours in this database.
_LOCK = 0x0B0D_E6A0
#: Milliseconds for which a change of the schema may be busy with something else.
_IDLE = 600_000


class MigrationFailed(AddonError):
    """A migration failed; nothing of it is left."""

    def __init__(self, owner: str, error: BaseException) -> None:
        super().__init__(f"migrations of {owner}: {type(error).__name__}: {error}")
        self.owner = owner


@contextmanager
def schema_change(database: Any) -> Iterator[None]:
    """Hold the one lock of schema changes and run the block in one transaction."""
    if is_postgres(database):
        with database.atomic():
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            # A lease is too short for it: addons are imported meanwhile, and machines are slow.
            database.execute_sql(f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE}")
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


def applied(database: Any, owner: str) -> tuple[str, ...]:
    """Return the names of the migrations that have run, those of newer versions too."""
    table = f"{owner}_migration"
    if not database.table_exists(table):
        return ()
    rows = database.execute_sql(f'SELECT name FROM "{table}" ORDER BY name').fetchall()
    return tuple(name for (name,) in rows)


def pending(database: Any, owner: str, folder: Path) -> list[str]:
    """Return the names of the migrations that have not run yet."""
    return [item.name for item in _runner(database, owner, folder).status() if not item.applied]


def migrate(
    database: Any,
    owner: str,
    folder: Path,
    executed: list[str] | None = None,
    target: str | None = None,
) -> list[str]:
    """Run what is pending; call it inside :func:`schema_change`.

    Args:
        executed: takes the statements that the migrations execute.
        target: the last migration to run; all of them when None.

    Returns:
        The names of the migrations that ran.

    Raises:
        MigrationFailed: nothing of it is left.
    """
    runner = _runner(database, owner, folder)
    runner.executed = executed
    try:
        done: list[str] = runner.up(target)
    # A migration may do anything; whatever it raises is its addon's fault.
    except (Exception, SystemExit) as error:
        raise MigrationFailed(owner, error) from error
    return done


def _runner(database: Any, owner: str, folder: Path) -> "_Runner":
    return _Runner(database, str(folder), table_name=f"{owner}_migration")


class _Runner(Runner):
    """Peewee's runner, which can write down what migrations execute."""

    executed: list[str] | None = None

    def _run(self, name: str, module: Any, direction: str, fake: bool = False) -> None:
        if self.executed is None:
            super()._run(name, module, direction, fake)
            return
        with recorded(self.database, self.executed):
            super()._run(name, module, direction, fake)


_WRITES = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|TRUNCATE|COMMENT)\b", re.I)


@contextmanager
def recorded(database: Any, statements: list[str]) -> Iterator[None]:
    """Append to a list what this thread executes in the block and what writes."""
    thread = threading.get_ident()

    def note(event: Any) -> None:
        if threading.get_ident() == thread and event.exception is None and _WRITES.match(event.sql):
            statements.append(" ".join(event.sql.split()))

    database.query_hooks.append(note)
    try:
        yield
    finally:
        database.query_hooks.remove(note)
