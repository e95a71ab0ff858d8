"""Opening the shop's databases: one PostgreSQL database, or two SQLite files."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

import peewee
import psycopg2
from playhouse.pool import PooledPostgresqlDatabase
from psycopg2.extensions import new_type, parse_dsn, register_type

from bodega.database.board import Board
from bodega.database.collections import VersionedWrites
from bodega.database.preparing import PreparedReads
from bodega.database.watching import WatchedReads
from bodega.errors import ConfigurationError, DatabaseUnreachable
from bodega.settings import Settings

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": 1,
    "cache_size": -16_000,
    "temp_store": "memory",
}
#: Seconds that a writer waits for another on SQLite, or a thread for a connection.
WAIT = 8
#: Seconds that a connection which was used is believed to be alive.
_SURELY_ALIVE = 1.0
_FIELD_TYPES = {"TIMESTAMPTZ": "TIMESTAMPTZ"}


class Sqlite(VersionedWrites, WatchedReads, peewee.SqliteDatabase):
    """A SQLite file in WAL mode whose transactions take the write lock at once."""


class Postgres(VersionedWrites, WatchedReads, PreparedReads, PooledPostgresqlDatabase):
    """A pool of PostgreSQL connections.

    The pool asks each connection that it lends whether it is alive, which costs as much as a
    small query; here those are asked only that nobody used for a while.
    """

    def _is_closed(self, conn: Any) -> bool:
        used = self._used.get(id(conn), 0.0)
        if not conn.closed and time.monotonic() - used < _SURELY_ALIVE:
            return False
        closed: bool = super()._is_closed(conn)
        return closed

    def _can_reuse(self, conn: Any) -> bool:
        if len(self._used) > 1000:
            self._used.clear()
        self._used[id(conn)] = time.monotonic()
        reusable: bool = super()._can_reuse(conn)
        return reusable

    @cached_property
    def _used(self) -> dict[int, float]:
        """When connections were given back; of one that is gone it is soon too long ago."""
        return {}


@lru_cache(10_000)
def _uuid(text: str) -> UUID:
    """Return an id: those of what others refer to come again with each of these."""
    return UUID(text)


def _read_uuid(text: str | None, _: Any) -> UUID | None:
    return None if text is None else _uuid(text)


#: How psycopg2 reads the type that has this number in all PostgreSQLs.
_UUIDS = new_type((2950,), "UUID", _read_uuid)


@dataclass(frozen=True, slots=True)
class Databases:
    """The shop's databases.

    Args:
        shop: the business: addons' tables, events, jobs.
        runtime: heartbeats; a file of its own on SQLite, the same database on PostgreSQL.
    """

    shop: Any
    runtime: Any

    def close(self) -> None:
        """Close this thread's connections."""
        for database in (self.shop,) if self.shop is self.runtime else (self.shop, self.runtime):
            # A transaction that a dying thread left open goes with the process.
            with suppress(peewee.OperationalError):
                database.close()


def is_postgres(database: Any) -> bool:
    """Whether a database is PostgreSQL rather than SQLite."""
    return isinstance(database, peewee.PostgresqlDatabase)


def open_databases(settings: Settings, connections: int = 20) -> Databases:
    """Open the databases that the settings name and check that they answer.

    Args:
        connections: of PostgreSQL, at most, for this process.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    board = Board(settings.home / "run" / "board")
    if settings.database_url:
        postgres = _postgres(settings, connections)
        postgres.board = board
        return Databases(postgres, postgres)
    _home(settings)
    shop = _sqlite(settings.home / "shop.sqlite")
    shop.board = board
    return Databases(shop, _sqlite(settings.home / "runtime.sqlite"))


def _home(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"BODEGA_HOME: cannot make {settings.home}: {error.strerror}; name a writable folder"
        ) from None


def _sqlite(path: Any) -> Sqlite:
    return Sqlite(str(path), pragmas=_PRAGMAS, timeout=WAIT, lock_type="IMMEDIATE")


def _postgres(settings: Settings, connections: int) -> Postgres:
    url = settings.database_url
    register_type(_UUIDS)
    database = Postgres(
        None,
        max_connections=connections,
        stale_timeout=600,
        timeout=WAIT,
        field_types=_FIELD_TYPES,
    )
    try:
        parameters = parse_dsn(url)
    except psycopg2.ProgrammingError as error:
        raise ConfigurationError(f"DATABASE_URL cannot be read: {error}".strip()) from None
    options = {
        "timezone": "UTC",
        "lock_timeout": WAIT * 1000,
        # A worker paused inside a transaction must not keep its rows from whoever takes over.
        "idle_in_transaction_session_timeout": int(settings.job_lease * 1000),
    }
    given = parameters.pop("options", "")
    told = " ".join(f"-c {name}={value}" for name, value in options.items())
    database.init(parameters.pop("dbname", "postgres"), options=f"{told} {given}", **parameters)
    _check(database, url)
    return database


def _check(database: Postgres, url: str) -> None:
    try:
        database.connect(reuse_if_open=True)
    except peewee.OperationalError as error:
        shown = re.sub(r":[^:@/]+@", ":…@", url)
        raise DatabaseUnreachable(
            f"PostgreSQL at {shown} does not answer: {str(error).strip().splitlines()[0]}; "
            "check DATABASE_URL and that the server runs"
        ) from None
    database.close()
