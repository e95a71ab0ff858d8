"""Reading the Redis Stream, which carries the log's events sooner and cheaper than the log."""

import asyncio
from datetime import datetime
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bodega.jobs.stream import EventStream
from bodega.settings import Settings
from bodega_sdk.events import Occurrence

log = structlog.get_logger(__name__)
_MOST = 500
_BLOCK = 1000
#: Seconds until a Redis that did not answer is asked again.
_PAUSE = 2.0


class StreamReader:
    """Reads the shop's stream; a Redis that is away is not waited for.

    Args:
        key: the stream's.
    """

    def __init__(self, url: str, key: str) -> None:
        self._key = key
        self._redis = Redis.from_url(
            url, socket_timeout=_BLOCK / 1000 + 1.5, socket_connect_timeout=0.5,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        self._away_until = 0.0

    @classmethod
    def of(cls, settings: Settings, shop_id: str) -> "StreamReader | None":
        """Return the reader of a shop's stream; None without Redis."""
        stream = EventStream.of(settings, shop_id)
        return None if stream is None else cls(settings.redis_url, stream.key)

    async def read(self, after: int) -> list[Occurrence] | None:
        """Wait up to a second for events behind an offset; None while Redis is away."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until:
            return None
        try:
            found: Any = await self._redis.xread({self._key: f"{after}-0"}, _MOST, _BLOCK)
            return [_occurrence(*entry) for _, entries in found for entry in entries]
        except (RedisError, OSError) as error:
            log.warning("Redis is away, the log is read instead", error=str(error))
        except (ValueError, KeyError) as error:
            log.error("the stream holds what is no event", key=self._key, error=repr(error))
        self._away_until = loop.time() + _PAUSE
        return None

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


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
