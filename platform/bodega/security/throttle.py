"""Counting against limits, by the library ``limits``: fixed windows that begin with the first act.

A store that fails is left alone for a while and the next one counts: Redis, the file of this
host, this process. So a limit is at times counted too low, but nothing fails because of it.
"""

import hashlib
import math
import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import structlog
from limits import RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from bodega.security.limit_stores import CountingRedis, SqliteStorage, Window
from bodega.settings import Settings
from bodega_sdk.errors import TooManyRequests
from bodega_sdk.throttling import RateLimit

log = structlog.get_logger(__name__)
T = TypeVar("T")
#: Seconds that a store is left alone after it failed.
_REST = 5.0
#: Seconds between two lines in the log about the same store.
_QUIET = 60.0


class Windows(FixedWindowRateLimiter):
    """The library's fixed windows, which count and tell the window in one step.

    Args:
        name: of the store, for the log.
    """

    def __init__(self, name: str, storage: SqliteStorage | CountingRedis) -> None:
        super().__init__(storage)
        self._name = name
        self._counting = storage
        self._rests_until = 0.0
        self._log_at = 0.0

    @property
    def rests(self) -> bool:
        """Whether it failed a moment ago."""
        return time.monotonic() < self._rests_until

    def count(self, item: RateLimitItemPerSecond, key: str) -> Window:
        """Count one act."""
        return self._counting.count(item.key_for(key), item.get_expiry())

    def rest(self, error: Exception) -> None:
        """Leave the store alone for a while, and say so once a minute."""
        now = time.monotonic()
        self._rests_until = now + _REST
        if now >= self._log_at:
            self._log_at = now + _QUIET
            log.warning("limits are counted elsewhere", failed=self._name, error=str(error))


class Throttle:
    """Counts acts of a shop against limits.

    Args:
        shop_id: asked for once the shop has begun.
    """

    def __init__(self, settings: Settings, shop_id: Callable[[], str]) -> None:
        self._settings = settings
        self._shop_id = shop_id
        self._made: tuple[Windows, ...] = ()
        self._secret = b""

    def hit(self, limit: RateLimit, key: str) -> None:
        """See :meth:`bodega_sdk.throttling.RateLimit.hit`."""
        window = self.count(limit, key)
        if window.count > limit.amount:
            seconds = wait(window)
            raise TooManyRequests(
                f"Too many attempts; try again in {seconds} seconds.", retry_after=seconds
            )

    def count(self, limit: RateLimit, key: str) -> Window:
        """Count one act of a key; return how many there were and when they are forgotten."""
        item, digest = _item(limit), self.digest(limit.name, key)
        return self._first(lambda windows: windows.count(item, digest))

    def left(self, limit: RateLimit, key: str) -> int:
        """See :meth:`bodega_sdk.throttling.RateLimit.left`."""
        item, digest = _item(limit), self.digest(limit.name, key)
        return self._first(lambda windows: windows.get_window_stats(item, digest).remaining)

    def reset(self, limit: RateLimit, key: str) -> None:
        """Forget the acts of a key, wherever they were counted."""
        item, digest = _item(limit), self.digest(limit.name, key)
        for windows in self._windows:
            if not windows.rests:
                self._try(windows, lambda windows: windows.clear(item, digest))

    def digest(self, name: str, key: str) -> str:
        """Return what is stored of a key: nobody finds out its e-mail address from that."""
        self._secret = self._secret or hashlib.sha256(self._settings.key()).digest()
        data = f"{name}\0{key}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=16, key=self._secret).hexdigest()

    @property
    def _windows(self) -> tuple[Windows, ...]:
        if not self._made:
            self._made = tuple(self._stores())
        return self._made

    def _stores(self) -> list[Windows]:
        file = self._settings.home / "run" / "limits.sqlite"
        made: list[tuple[str, SqliteStorage | CountingRedis]] = []
        if self._settings.redis_url:
            prefix = f"bodega:{self._shop_id()}:limits"
            made.append(("Redis", CountingRedis(self._settings.redis_url, prefix)))
        made += [(str(file), SqliteStorage(file)), ("memory", SqliteStorage(":memory:"))]
        return [Windows(name, storage) for name, storage in made]

    def _first(self, work: Callable[[Windows], T]) -> T:
        """Do the work on the first store that can."""
        for windows in self._windows[:-1]:
            if not windows.rests:
                done = self._try(windows, work)
                if done is not None:
                    return done
        return work(self._windows[-1])

    @staticmethod
    def _try(windows: Windows, work: Callable[[Windows], T]) -> T | None:
        try:
            return work(windows)
        except (RedisError, sqlite3.Error, OSError) as error:
            windows.rest(error)
            return None


@lru_cache(256)
def _item(limit: RateLimit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.amount, limit.seconds, namespace=limit.name)


def wait(window: Window) -> int:
    """Return the whole seconds until a window ends, at least one."""
    return max(1, math.ceil(window.ends_in))
