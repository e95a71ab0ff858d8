"""The feed: one task that reads every new event, in order, and gives it to the hub."""

import asyncio
import time

import structlog

from bodega_realtime.reader import LogReader
from bodega_realtime.stream import StreamReader
from bodega_realtime.subscriptions import Hub

log = structlog.get_logger(__name__)
#: Seconds between two looks at the log: while somebody listens, and else.
TICK, IDLE = 0.02, 0.1
#: Seconds behind what the stream brought until it is read again.
_REST = 0.01
_PATIENCE = 5.0
#: Seconds that events are handed out until others have their turn.
_BREATH = 0.005


class Feed:
    """Follows the Redis Stream where there is one, and the log.

    The log is the truth: it is read when the stream has a gap, brings nothing for a
    second, or cannot be read.
    """

    def __init__(self, hub: Hub, reader: LogReader, stream: StreamReader | None) -> None:
        self._hub = hub
        self._reader = reader
        self._stream = stream
        self._read_at = self._breathed = time.monotonic()

    @property
    def healthy(self) -> bool:
        """Whether the log or the stream was read lately."""
        return time.monotonic() - self._read_at < _PATIENCE

    async def run(self) -> None:
        """Follow until cancelled; nothing else ends it."""
        while True:
            try:
                await self._turn()
            except Exception as error:
                log.warning("the log cannot be read, trying again", error=str(error))
                await asyncio.sleep(1)

    async def _turn(self) -> None:
        if self._stream is not None and await self._from_stream(self._stream):
            return
        if not await self._from_log():
            await asyncio.sleep(TICK if self._hub.wanted else IDLE)

    async def _from_stream(self, stream: StreamReader) -> bool:
        """Take what the stream has; False when the log must be read now."""
        events = await stream.read(self._hub.position)
        if events is None:
            return False
        for event in events:
            if event.offset != self._hub.position + 1:
                return False
            self._hub.dispatch(event)
            await self._breathe()
        if events:
            # What comes meanwhile is written together.
            await asyncio.sleep(_REST)
        else:
            # It may be the relay that cannot reach Redis, so silence is no proof.
            await self._from_log()
        self._read_at = time.monotonic()
        return True

    async def _breathe(self) -> None:
        """Let others have their turn, and sockets be written to, now and then.

        Not between any two events: those that come together are written together.
        """
        if time.monotonic() - self._breathed > _BREATH:
            await asyncio.sleep(0)
            self._breathed = time.monotonic()

    async def _from_log(self) -> bool:
        """Take what the log has; True when it may have more."""
        names = self._hub.wanted
        page = await self._reader.next(self._hub.position, names)
        self._read_at = time.monotonic()
        for event in page.events:
            if not self._hub.wanted <= names:
                break
            self._hub.dispatch(event)
            await self._breathe()
        if not self._hub.wanted <= names:
            # Somebody began to listen to what was not read: read again from here.
            return True
        self._hub.position = page.reached
        return page.full
