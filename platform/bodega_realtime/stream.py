"""Reading the Redis Stream, which carries the log's events sooner and cheaper than the log."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import orjson
import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bodega.jobs.stream import EventStream
from bodega.settings import Settings
from bodega_sdk.events import Occurrence

log = structlog.get_logger(__name__)
_MOST = 500
_BLOCK = 1000
#: Seconds until a Redis that did not answer is asked again.
_PAUSE = 2.0


class StreamReader:
    """Reads the shop's stream in a thread; a Redis that is away is not waited for.

    Redis's asyncio client is not used: on Python 3.11 it swallows cancellations.

    Args:
        key: the stream's.
    """

    def __init__(self, url: str, key: str) -> None:
        self._key = key
        self._redis = Redis.from_url(
            url,
            socket_timeout=_BLOCK / 1000 + 1.5,
            socket_connect_timeout=0.5,
            retry=Retry(NoBackoff(), 0),
        )
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="realtime-stream")
        self._away_until = 0.0

    @classmethod
    def of(cls, settings: Settings, shop_id: str) -> "StreamReader | None":
        """Return the reader of a shop's stream; None without Redis."""
        stream = EventStream.of(settings, shop_id)
        return None if stream is None else cls(settings.redis_url, stream.key)

    async def read(self, after: int) -> list[Occurrence] | None:
        """Wait up to a second for events behind an offset; None while Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._read, after)

    def _read(self, after: int) -> list[Occurrence] | None:
        try:
            found: Any = self._redis.xread({self._key: f"{after}-0"}, _MOST, _BLOCK)
            return [_occurrence(*entry) for _, entries in found for entry in entries]
        except (RedisError, OSError) as error:
            log.warning("Redis is away, the log is read instead", error=str(error))
        except (ValueError, KeyError) as error:
            log.error("the stream holds what is no event", key=self._key, error=repr(error))
        self._away_until = time.monotonic() + _PAUSE
        return None

    async def close(self) -> None:
        """Close the connection, once the read in hand has ended."""
        loop = asyncio.get_running_loop()
        closed = loop.run_in_executor(self._executor, self._redis.close)
        self._executor.shutdown(wait=False)
        await closed


def _occurrence(entry: bytes, fields: dict[bytes, bytes]) -> Occurrence:
    body = orjson.loads(fields[b"e"])
    return Occurrence(
        int(entry.partition(b"-")[0]),
        body["name"],
        body["version"],
        body["key"],
        body["data"],
        datetime.fromisoformat(body["occurred_at"]),
    )
