"""Where answers are kept: in this process, and in Redis for all of them.

Whoever takes an answer out checks its stamp; so a store may forget, but need not.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import redis
import structlog
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)
#: Seconds after which an answer is made anew, whatever its stamp says.
LIFETIME = 3600
#: Bytes of one answer, and of all those that one process keeps.
LARGEST, MOST = 512 * 1024, 32 * 1024 * 1024
#: Places for answers in Redis: two that want the same one take turns, so they never grow.
PLACES = 4096
#: Bytes that an answer takes beside its body, roughly.
_OVERHEAD = 1000
#: Seconds that Redis has to answer, that it is left alone, and between lines in the log.
_PATIENCE, _REST, _QUIET = 0.25, 5.0, 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is kept.

    Args:
        stamp: table → its version before the answer was made.
        headers: beside those that every answer has.
    """

    body: bytes
    tag: str
    stamp: Mapping[str, int]
    headers: Mapping[str, str] = field(default_factory=dict)


#: Where in a request's environment it stands that its answer was kept, and which one.
GIVEN = "bodega.given"


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that is kept, given to a request.

    Args:
        path: of the route.
        template: of the address, as metrics name it.
        key: under which it is kept.
    """

    path: str
    template: str
    key: str
    kept: Kept


class Store(Protocol):
    """A place where answers are kept."""

    def get(self, key: str) -> Kept | None:
        """Return what is kept under a key."""

    def put(self, key: str, kept: Kept) -> None:
        """Keep an answer in the place of what was there."""


class LocalStore:
    """Answers in this process, those that were not asked for longest leave first.

    Args:
        most: bytes of all together.
    """

    def __init__(self, most: int = MOST, lifetime: float = LIFETIME) -> None:
        self._most, self._lifetime = most, lifetime
        self._kept: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Kept | None:
        """Return what is kept under a key."""
        with self._lock:
            ends, kept = self._kept.get(key, (0.0, None))
            if kept is None:
                return None
            if ends < time.monotonic():
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return kept

    def put(self, key: str, kept: Kept) -> None:
        """Keep an answer in the place of what was there."""
        with self._lock:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = (time.monotonic() + self._lifetime, kept)
            self._size += _size(key, kept)
            while self._size > self._most:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        _, kept = self._kept.pop(key)
        self._size -= _size(key, kept)


def _size(key: str, kept: Kept) -> int:
    return len(key) + len(kept.body) + _OVERHEAD


class RedisStore:
    """Answers in Redis; when it fails there are none, and it is left alone for a while."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._rests_until = self._log_at = 0.0
        # redis-py retries for 2.8 s by default, in every request, when Redis is down.
        self._client: Any = redis.Redis.from_url(
            url,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )

    def get(self, key: str) -> Kept | None:
        """Return what is kept under a key."""
        name = _digest(key)
        found = self._try("get", self._place(name))
        return _unpacked(found, name) if found else None

    def put(self, key: str, kept: Kept) -> None:
        """Keep an answer in the place of what was there."""
        name = _digest(key)
        head = orjson.dumps([name, kept.tag, dict(kept.stamp), dict(kept.headers)])
        self._try("set", self._place(name), head + b"\n" + kept.body, LIFETIME)

    def _place(self, name: str) -> str:
        return f"{self._prefix}:{int(name[:8], 16) % PLACES}"

    def _try(self, command: str, *arguments: Any) -> Any:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return getattr(self._client, command)(*arguments)
        except (RedisError, OSError) as error:
            self._rest(error)
            return None

    def _rest(self, error: Exception) -> None:
        now = time.monotonic()
        self._rests_until = now + _REST
        if now >= self._log_at:
            self._log_at = now + _QUIET
            log.warning("answers are not kept in Redis", error=str(error))


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _unpacked(found: bytes, wanted: str) -> Kept | None:
    """Return what stood in a place, if it is the answer that was looked for."""
    head, _, body = found.partition(b"\n")
    try:
        name, tag, stamp, headers = orjson.loads(head)
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return None
    return Kept(body, tag, stamp, headers) if name == wanted else None
