"""The relay's thread: it numbers committed events and passes them on to Redis."""

import threading
from typing import TYPE_CHECKING

import structlog

from bodega.database import outbox
from bodega.jobs.stream import EventStream

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)


class Relay:
    """Runs in every worker; the database lets one of them number at a time."""

    def __init__(self, shop: "Shop", interval: float = 0.05) -> None:
        self._shop = shop
        self._interval = interval
        self._stream = EventStream.of(shop.settings, shop.shop_id)
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
        while not self._stopped.wait(self._interval):
            try:
                while self.step():
                    pass
            except Exception as error:
                log.warning("relay failed, trying again", error=str(error))
                self._stopped.wait(1)
        self._shop.databases.close()

    def step(self) -> int:
        """Number what is committed and pass it on; return how many events moved."""
        database = self._shop.databases.shop
        moved = outbox.relay(database)
        if self._stream is not None:
            moved = max(moved, self._stream.pass_on(database))
        return moved
