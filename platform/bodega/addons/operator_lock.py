"""One operator at a time: a lock that names its holder and goes with its process."""

import fcntl
import getpass
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

from bodega.database.connection import is_postgres
from bodega.errors import Busy

if TYPE_CHECKING:
    from bodega.shop import Shop

_LOCK = 0x0B0D_E6A2
#: Characters of what PostgreSQL remembers of a session.
_LONGEST = 63


@contextmanager
def operator_lock(shop: "Shop", task: str) -> Iterator[None]:
    """Be the only operator while the block runs.

    Args:
        task: what is being done, for whoever is told to wait, e.g. ``"enable notes"``.

    Raises:
        Busy: another one is at work; the message names it and what it does.
    """
    holder = _holder_of(task)
    if is_postgres(shop.databases.shop):
        with _postgres_lock(shop.databases.shop, holder):
            yield
    else:
        with _file_lock(shop.settings.home / "run" / "operator.lock", holder):
            yield


def _holder_of(task: str) -> str:
    who = f" by {_user()}@{socket.gethostname()[:20]} pid {os.getpid()}"
    return task[: max(10, _LONGEST - len(who))] + who


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@contextmanager
def _file_lock(path: Path, holder: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(_written(file)) from None
        # Between the lock and the next line a loser must not read of whoever held it last.
        file.truncate(0)
        file.write(holder)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _written(file: Any) -> str:
    """Return what the holder has written, waiting a moment for one that is just beginning."""
    for _ in range(10):
        file.seek(0)
        if found := file.read():
            return str(found)
        time.sleep(0.02)
    return ""


@contextmanager
def _postgres_lock(database: Any, holder: str) -> Iterator[None]:
    # A session of its own: the lock outlives transactions and ends with the process.
    connection = psycopg2.connect(dbname=database.database, **database.connect_params)
    with closing(connection), connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT set_config('application_name', %s, false)", (holder[:_LONGEST],))
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
        if not cursor.fetchone()[0]:
            raise _busy(_holder(cursor))
        try:
            yield
        finally:
            # The server notices the end of a connection only a moment later.
            with suppress(psycopg2.Error):
                cursor.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _holder(cursor: Any) -> str:
    cursor.execute(
        "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND objid = %s AND classid = 0 "
        "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        (_LOCK,),
    )
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _busy(holder: str) -> Busy:
    return Busy(
        f"another operator is at work on this shop: {holder or 'just beginning or finishing'}; "
        "wait until it is done and try again"
    )
