"""Who is there: how many subscribe to a channel, over all processes."""

import asyncio

import structlog

from bodega.presence import PresenceTable
from bodega.shop import Shop
from bodega_realtime.reader import LogReader
from bodega_realtime.subscriptions import Hub
from bodega_sdk.errors import Unavailable
from bodega_sdk.ids import uuid7

log = structlog.get_logger(__name__)
#: Seconds until the other processes know.
PACE = 2.0


class Presence:
    """Tells the other processes what is subscribed to here, and asks them."""

    def __init__(self, shop: Shop, hub: Hub, reader: LogReader) -> None:
        self._table = PresenceTable(shop.databases.runtime)
        self._hub = hub
        self._reader = reader
        self._process = uuid7().hex
        self._told: dict[str, int] = {}

    async def subscribers(self, channel: str) -> int:
        """Return how many subscribe to a channel; those elsewhere as of some seconds ago.

        Raises:
            Unavailable: the database does not answer.
        """
        others = await self._reader.run(lambda: self._table.elsewhere(channel, self._process))
        return self._hub.present[channel] + others

    async def run(self) -> None:
        """Tell the others until cancelled."""
        while True:
            await asyncio.sleep(PACE)
            try:
                await self._tell()
            except Unavailable as error:
                log.debug("presence cannot be told", reason=error.detail)

    async def _tell(self) -> None:
        found = dict(self._hub.present)
        changed = {name: found.get(name, 0) for name in found.keys() | self._told.keys()
                   if found.get(name, 0) != self._told.get(name, 0)}  # fmt: skip
        if found or changed:
            await self._reader.run(lambda: self._table.tell(self._process, changed))
            self._told = found

    async def leave(self) -> None:
        """Be gone."""
        try:
            await self._reader.run(lambda: self._table.leave(self._process))
        except Unavailable as error:
            log.debug("presence cannot be told", reason=error.detail)
