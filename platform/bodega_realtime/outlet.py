"""What goes out to one client: sending never waits, and who reads too slowly is cut off."""

import asyncio
from collections.abc import Callable

import structlog
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.protocol import State

from bodega_realtime.messages import Close

log = structlog.get_logger(__name__)
#: Bytes that may wait for a client to read them.
MOST_UNREAD = 2**20
#: Bytes below which a replay goes on, and seconds that it waits for that.
_ROOM = 2**18
_PATIENCE = 10.0
_PAUSE = 0.01


class Outlet:
    """The sending side of a connection.

    Args:
        closed: called once, when nothing more will be sent.
    """

    def __init__(self, websocket: ServerConnection, closed: Callable[[], None]) -> None:
        self._websocket = websocket
        self._closed = closed
        self._closing: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Whether anything can still be sent."""
        lost = self._websocket.transport.is_closing()
        return self._closing is None and self._websocket.state is State.OPEN and not lost

    @property
    def unread(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._websocket.transport.get_write_buffer_size()

    def deliver(self, payload: bytes) -> None:
        """Send a message now, or end the connection if the client is too slow."""
        if not self.open:
            return
        # Looked at before, not after: one large message is no sign of a slow client.
        if self.unread > MOST_UNREAD:
            self.cut()
        else:
            broadcast((self._websocket,), payload, text=True)

    def cut(self) -> None:
        """End the connection: the client is too slow."""
        if self._closing is None:
            log.info("a slow client was cut off", unread=self.unread)
        self.close(Close.TOO_SLOW, "too slow; come back and resume")

    def close(self, code: Close, reason: str) -> None:
        """End the connection; what was sent before may still arrive."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._websocket.close(code, reason))
            self._closed()

    async def has_room(self) -> bool:
        """Wait until the client has taken most of what was sent; False when it is gone."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self.open and self.unread > _ROOM:
            if asyncio.get_running_loop().time() > deadline:
                self.cut()
            await asyncio.sleep(_PAUSE)
        return self.open
