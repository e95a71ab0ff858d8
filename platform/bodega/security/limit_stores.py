"""Where limits are counted: in Redis, or in a SQLite file that all processes of a host share."""

import fcntl
import os
import sqlite3
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limits.storage import Storage
from limits.storage.redis import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds that another process may keep the file.
_PATIENCE = 2.0
#: Seconds that Redis has to connect, and to answer.
_REDIS_PATIENCE = 0.25
#: Seconds between two prunings of this process.
_PRUNING = 60.0
_TABLE = """CREATE TABLE IF NOT EXISTS hits
    (key TEXT PRIMARY KEY, count INTEGER NOT NULL, ends REAL NOT NULL) WITHOUT ROWID"""
# One statement, so that no other process comes between. A window that ends much later than a
# new one would is of a clock that was put back; a little later it is of somebody who overtook us.
_HIT = """INSERT INTO hits VALUES (:key, :amount, :now + :seconds) ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN ends <= :now OR ends > :now + :seconds + 60
        THEN :amount ELSE count + :amount END,
    ends = CASE WHEN ends <= :now OR ends > :now + :seconds + 60 THEN :now + :seconds ELSE ends END
    RETURNING count, ends"""
# As the library's own script, with the end in the answer: one round trip instead of two.
_REDIS_HIT = """
local count = redis.call('incrby', KEYS[1], ARGV[2])
local ends = redis.call('pttl', KEYS[1])
if ends < 0 then
    ends = ARGV[1] * 1000
    redis.call('pexpire', KEYS[1], ends)
end
return {count, ends}
"""


@dataclass(frozen=True, slots=True)
class Window:
    """How much came since a window began, and in how many seconds it ends."""

    count: int
    ends_in: float


class SqliteStorage(Storage):
    """Counts in a SQLite file, exactly, however many processes and threads do so at once.

    A process has one connection, which its threads take turns with: waiting for a lock of
    the process costs nothing, waiting for one of the file is sleeping.

    Args:
        path: ``":memory:"`` for counts of this process alone.
    """

    STORAGE_SCHEME = None

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self._path = str(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._prune_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What it raises when it cannot count."""
        return (sqlite3.Error, OSError)

    def count(self, key: str, seconds: int, amount: int = 1) -> Window:
        """Count, and return the key's window."""
        now = time.time()
        if now >= self._prune_at:
            self._prune_at = now + _PRUNING
            self._execute("DELETE FROM hits WHERE ends <= :now", {"now": now})
        told = {"key": key, "amount": amount, "now": now, "seconds": seconds}
        ((count, ends),) = self._execute(_HIT, told)
        return Window(count, ends - now)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and return how many there are."""
        return self.count(key, expiry, amount).count

    def get(self, key: str) -> int:
        """Return how many there are."""
        return self._row(key)[0]

    def get_expiry(self, key: str) -> float:
        """Return when the key's window ends."""
        return self._row(key)[1]

    def _row(self, key: str) -> tuple[int, float]:
        now = time.time()
        query = "SELECT count, ends FROM hits WHERE key = :key AND ends > :now"
        found = self._execute(query, {"key": key, "now": now})
        return found[0] if found else (0, now)

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._execute("DELETE FROM hits WHERE key = :key", {"key": key})

    def reset(self) -> int | None:
        """Forget everything; return how many keys there were."""
        return len(self._execute("DELETE FROM hits RETURNING key", {}))

    def check(self) -> bool:
        """Whether it can count."""
        try:
            return self._execute("SELECT 1", {}) == [(1,)]
        except (sqlite3.Error, OSError):
            return False

    def _execute(self, statement: str, values: dict[str, Any]) -> list[Any]:
        with self._lock:
            connection = self._connection
            if connection is None or self._process != os.getpid():
                connection = self._open()
            try:
                # All rows are fetched: only that ends a statement, and gives the lock back.
                return connection.execute(statement, values).fetchall()
            except sqlite3.DatabaseError:
                # A damaged file is found out when it is opened anew.
                connection.close()
                self._connection = None
                raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            # The parent's: closing it here would take the parent's locks on the file away.
            _INHERITED.append(self._connection)
        self._connection, self._process = _opened(self._path), os.getpid()
        weakref.finalize(self, _close, self._connection, self._process)
        return self._connection


#: Connections that were open when this process was forked.
_INHERITED: list[sqlite3.Connection] = []


def _close(connection: sqlite3.Connection, process: int) -> None:
    if process == os.getpid():
        connection.close()


def _opened(path: str) -> sqlite3.Connection:
    """Open the file; what is no database, as after a power failure, is made anew."""
    if path == ":memory:":
        return _connect(path)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return _connect(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            for end in ("", "-wal", "-shm"):
                Path(path + end).unlink(missing_ok=True)
            return _connect(path)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = wal").fetchall()
        connection.execute("PRAGMA synchronous = off")
        connection.execute(_TABLE)
        connection.execute("SELECT count(*) FROM hits").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class CountingRedis(RedisStorage):
    """The library's storage in Redis, which also tells when a window ends.

    Redis that is away is not waited for.
    """

    STORAGE_SCHEME = None  # type: ignore[assignment]

    def __init__(self, url: str, prefix: str) -> None:
        options: dict[str, Any] = {
            "socket_timeout": _REDIS_PATIENCE,
            "socket_connect_timeout": _REDIS_PATIENCE,
            "retry": Retry(NoBackoff(), 0),
        }
        super().__init__(url, key_prefix=prefix, **options)
        self._hit: Any = self.storage.register_script(_REDIS_HIT)

    def count(self, key: str, seconds: int, amount: int = 1) -> Window:
        """Count, and return the key's window."""
        count, ends = self._hit([self.prefixed_key(key)], [seconds, amount])
        return Window(int(count), int(ends) / 1000)
