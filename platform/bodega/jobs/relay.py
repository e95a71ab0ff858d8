"""The relay's thread: it numbers committed events and passes them on to Redis."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import redis
import structlog

from bodega.database import outbox
from bodega.jobs.stream import EventStream

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)
#: Seconds between two looks while events come.
_BUSY = 0.01
#: Events that may be as many as are moved at a time: there may be more.
_MANY = 1000


class Relay:
    """Runs in every worker; the database lets one of them number at a time.

    Args:
        interval: seconds between two looks.
        news: called when events were numbered, here or elsewhere.
    """

    def __init__(
        self, shop: "Shop", interval: float = 0.05, news: Callable[[], None] = lambda: None
    ) -> None:
        self._shop = shop
        self._interval = interval
        self._news = news
        self._newest = -1
        self._stream = EventStream.of(shop.settings, shop.shop_id)
        self._redis_away_until = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="relay", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join(10)

    def _loop(self) -> None:
        pause = self._interval
        while not self._stopped.wait(pause):
            try:
                moved = self.step()
                # Where something happens, more is to come, and somebody may be watching.
                pause = min(_BUSY, self._interval) if moved else self._interval
                while moved >= _MANY:
                    moved = self.step()
            except Exception as error:
                log.warning("relay failed, trying again", error=str(error))
                self._shop.databases.close()  # A broken connection does not mend itself.
                self._stopped.wait(1)
        self._shop.databases.close()

    def step(self) -> int:
        """Number what is committed and pass it on; return how many events moved."""
        database = self._shop.databases.shop
        moved = outbox.relay(database)
        newest = outbox.last_offset(database)
        if newest != self._newest:
            self._newest = newest
            self._news()
        return max(moved, self._pass_on())

    def _pass_on(self) -> int:
        """Pass numbered events on to Redis; while it is away, readers take them from the log."""
        if self._stream is None or time.monotonic() < self._redis_away_until:
            return 0
        try:
            return self._stream.pass_on(self._shop.databases.shop)
        except redis.RedisError as error:
            log.warning("events are not passed on to Redis", error=str(error))
            self._redis_away_until = time.monotonic() + 1
            return 0
