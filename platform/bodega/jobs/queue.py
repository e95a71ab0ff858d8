"""Huey, which carries one message: "there is work in this lane"."""

import threading
from collections.abc import Callable
from typing import Any

import redis
import structlog
from huey import PriorityRedisHuey, SqliteHuey
from huey.consumer import Consumer
from redis.backoff import NoBackoff
from redis.retry import Retry

from bodega.settings import Settings

log = structlog.get_logger(__name__)
_PRIORITY = {"default": 10, "mail": 5, "bulk": 1}


class _Consumer(Consumer):
    """Huey's consumer, which says when it stops."""

    stopping: Callable[[], None]

    def stop(self, graceful: bool = False) -> None:
        self.stopping()
        super().stop(graceful)


class Queue:
    """The wake-ups of a shop. Losing one is harmless: the sweeper sends it again."""

    def __init__(self, settings: Settings, shop_id: str) -> None:
        self._huey = _huey(settings, shop_id)
        self._work: Callable[[str], None] = lambda lane: None
        self._wake = self._huey.task(name="wake")(self._run)

    def _run(self, lane: str) -> None:
        self._work(lane)

    def wake(self, lane: str) -> None:
        """Tell a worker that a lane has work; never fails the caller."""
        try:
            self._wake(lane, priority=_PRIORITY.get(lane, 0))
        except Exception as error:
            log.warning("wake-up not sent; the sweeper will", lane=lane, error=str(error))

    def consume(
        self, work: Callable[[str], None], threads: int, stopping: Callable[[], None]
    ) -> None:
        """Call ``work(lane)`` for each wake-up, in threads, until SIGTERM or SIGINT.

        Jobs in hand are finished first, for at most 20 seconds; ``stopping`` is called
        when that begins.
        """
        self._work = work
        consumer = _Consumer(
            self._huey,
            workers=threads,
            periodic=False,
            max_delay=0.5,  # Huey backs off to 10 s when idle.
            shutdown_timeout=20,
            graceful_signal="TERM",
        )
        consumer.stopping = stopping
        # Huey stops at once on the signal that is not its graceful one; Ctrl-C is graceful here.
        consumer._signal_actions[consumer._interrupt_sig] = (False, True)
        consumer.run()

    def length(self) -> int:
        """Return how many wake-ups wait."""
        return int(self._huey.pending_count())


def _huey(settings: Settings, shop_id: str) -> Any:
    common: dict[str, Any] = {"results": False, "store_none": False, "utc": True}
    if settings.redis_url:
        pool = redis.ConnectionPool.from_url(
            settings.redis_url,
            socket_connect_timeout=2,
            # redis-py retries for 2.8 s by default, in every request, when Redis is down.
            retry=Retry(NoBackoff(), 0),
        )
        return PriorityRedisHuey(
            f"bodega-{shop_id}", connection_pool=pool, blocking=False, **common
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("bodega", filename=str(settings.home / "queue.sqlite"), **common)


class LaneSlots:
    """How many jobs of each lane may run in this process, so that none starves another."""

    def __init__(self, threads: int) -> None:
        bulk = max(1, threads // 2)
        self._slots = {
            "default": threading.Semaphore(threads),
            "mail": threading.Semaphore(max(1, threads - 1)),
            "bulk": threading.Semaphore(bulk if threads > 1 else 1),
        }

    def take(self, lane: str) -> bool:
        """Take a place in a lane without waiting; False when it is full."""
        return self._slots[lane].acquire(blocking=False)

    def free(self, lane: str) -> None:
        """Give the place back."""
        self._slots[lane].release()
