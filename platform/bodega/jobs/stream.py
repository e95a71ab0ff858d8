"""The Redis Stream that carries the log's events, under their own offsets, to real-time."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bodega.database import outbox
from bodega.settings import Settings
from bodega_sdk.encoding import to_json

_KEPT = 50_000


class EventStream:
    """The stream, whose entry ids are ``offset-0``, so that adding one twice is impossible."""

    def __init__(self, url: str, shop_id: str) -> None:
        self.key = f"bodega:{shop_id}:events"
        self._redis = redis.Redis.from_url(
            url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    @classmethod
    def of(cls, settings: Settings, shop_id: str) -> "EventStream | None":
        """Return the shop's stream; None without Redis."""
        return cls(settings.redis_url, shop_id) if settings.redis_url else None

    def pass_on(self, database: Any, limit: int = 1000) -> int:
        """Add the numbered events behind the newest one here; return how many."""
        # In this order: another relay may add to both in between, and the log leads.
        after = self.last()
        newest = outbox.last_offset(database)
        if after > newest:
            # The log was restored from a backup: what is in the stream never happened.
            self._redis.delete(self.key)
            after = 0
        if after >= newest:
            return 0
        # A stream that was lost begins at what is new: readers take the rest from the log.
        after = max(after, newest - _KEPT)
        events = list(outbox.read(database, after, limit))
        for event in events:
            self._add(event)
        return len(events)

    def last(self) -> int:
        """Return the offset of the newest entry, 0 when there is none."""
        entries: Any = self._redis.xrevrange(self.key, count=1)
        return int(entries[0][0].split(b"-")[0]) if entries else 0

    def _add(self, event: Any) -> None:
        body = {"name": event.name, "key": event.key, "version": event.version, "data": event.data,
                "occurred_at": event.occurred_at}  # fmt: skip
        try:
            self._redis.xadd(
                self.key,
                {"e": to_json(body)},
                id=f"{event.offset}-0",
                maxlen=_KEPT,
                approximate=True,
            )
        except redis.ResponseError as error:
            if "equal or smaller" not in str(error):
                raise
