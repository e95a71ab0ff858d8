"""What goes out to one client: sending never waits, and who reads too slowly is cut off."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from bodega_realtime import frames
from bodega_realtime.messages import Close
from bodega_realtime.meters import Meters
from bodega_realtime.pump import Pump
from bodega_sdk.encoding import to_json

log = structlog.get_logger(__name__)
#: Bytes that may wait for a client to read them.
MOST_UNREAD = 2**20
#: Bytes below which a replay goes on.
_ROOM = 2**18
#: Seconds that a client has to read what came at once.
_PATIENCE = 10.0
_PAUSE = 0.01


class Outlet:
    """The sending side of a WebSocket connection.

    It writes frames to the transport itself: the library would build one for each client.

    Args:
        closed: called once, when nothing more will be sent.
    """

    def __init__(
        self,
        websocket: ServerConnection,
        pump: Pump,
        closed: Callable[[], None],
        meters: Meters | None = None,
    ) -> None:
        self._websocket = websocket
        self._pump = pump
        self._closed = closed
        self._meters = meters
        self._closing: asyncio.Task[None] | None = None
        self._doubt: asyncio.TimerHandle | None = None
        self._waiting: list[bytes] = []
        self._size = 0

    @property
    def open(self) -> bool:
        """Whether anything can still be sent."""
        return self._closing is None and self._connected()

    def _connected(self) -> bool:
        lost = self._websocket.transport.is_closing()
        return self._websocket.state is State.OPEN and not lost

    @property
    def unread(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._size + self._websocket.transport.get_write_buffer_size()

    @property
    def roomy(self) -> bool:
        """Whether the client has taken most of what was sent."""
        return self.unread <= _ROOM

    def tell(self, payload: bytes) -> None:
        """Send a message of the protocol."""
        self.deliver(frames.text(payload))

    def deliver(self, frame: bytes) -> None:
        """Send what was built for the transport, soon; or cut off a client that is too slow."""
        if self._closing is not None:
            return
        if not self._waiting:
            self._pump.add(self)
        self._waiting.append(frame)
        self._size += len(frame)

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if not (waiting and self.open):
            return
        # Looked at before, not after: one large message is no sign of a slow client.
        if self.unread > MOST_UNREAD:
            self.cut()
        else:
            self._websocket.transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
            self._look_again_later()

    def _look_again_later(self) -> None:
        """Cut off who still has not read a burst in a while, though nothing more may come."""
        if self._doubt is None and self.unread > MOST_UNREAD:
            self._doubt = asyncio.get_running_loop().call_later(_PATIENCE, self._look_again)

    def _look_again(self) -> None:
        self._doubt = None
        if self.open and self.unread > MOST_UNREAD:
            self.cut()

    def cut(self) -> None:
        """End the connection: the client is too slow."""
        if self._closing is None:
            log.info("a slow client was cut off", unread=self.unread)
            if self._meters is not None:
                self._meters.cut += 1
        self.close(Close.TOO_SLOW, "too slow; come back and resume")

    def close(self, code: Close, reason: str) -> None:
        """End the connection; what was sent before may still arrive."""
        if self._closing is None and code is not Close.TOO_SLOW:
            self.flush()
        if self._closing is None:
            self._closing = asyncio.create_task(self._end(code, reason))
            self._waiting = []
            if self._doubt is not None:
                self._doubt.cancel()
            self._closed()

    async def _end(self, code: Close, reason: str) -> None:
        await self._websocket.close(code, reason)

    async def has_room(self) -> bool:
        """Wait until the client has taken most of what was sent; False when it is gone."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self.open and not self.roomy:
            self.flush()
            if asyncio.get_running_loop().time() > deadline:
                self.cut()
            await asyncio.sleep(_PAUSE)
        return self.open


class StreamOutlet(Outlet):
    """The sending side of an HTTP answer that does not end: server-sent events."""

    def _connected(self) -> bool:
        # Behind the end of what the client sends, the library ends what is sent to it.
        lost = self._websocket.transport.is_closing()
        return not (lost or self._websocket.protocol.eof_sent)

    async def _end(self, code: Close, reason: str) -> None:
        transport: Any = self._websocket.transport
        if code is Close.TOO_SLOW:
            transport.abort()
            return
        if self._connected():
            transport.write(frames.told("end", to_json({"code": code, "reason": reason})))
        transport.close()
