"""The conversation with one client."""

import asyncio
import time
from dataclasses import replace

import structlog
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from bodega.shop import Shop
from bodega_realtime import messages
from bodega_realtime.login import Login
from bodega_realtime.messages import Close
from bodega_realtime.reader import LogReader
from bodega_realtime.subscriptions import Hub, Subscription

log = structlog.get_logger(__name__)
#: Seconds that a client has to say who it is.
PATIENCE = 10.0
#: Subscriptions of a connection, at most.
MOST_SUBSCRIPTIONS = 100
#: Messages in a row that cannot be read, at most.
MOST_MALFORMED = 10
#: Bytes that may wait for a slow client to read them.
MOST_UNREAD = 2**20
#: Bytes below which a replay goes on, and seconds that it waits for that.
_ROOM = 2**18
_ROOM_PATIENCE = 10.0


class Connection:
    """One client, from its handshake to its end."""

    def __init__(
        self, websocket: ServerConnection, shop: Shop, hub: Hub, reader: LogReader
    ) -> None:
        self._websocket = websocket
        self._shop = shop
        self._hub = hub
        self._reader = reader
        self._login: Login | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._malformed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._handlers = {
            "authenticate": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "ping": self._ping,
        }

    async def run(self) -> None:
        """Talk until either side ends the connection."""
        self._hub.listeners.add(self)
        self._close_in(PATIENCE, "no token came in time")
        try:
            self._greet()
            async for text in self._websocket:
                await self._receive(text)
        except ConnectionClosed:
            pass
        finally:
            self._forget()
            self._hub.listeners.discard(self)

    # What the hub and the replay ask of it.

    def deliver(self, payload: bytes) -> None:
        """Send a message now, or end the connection if it is too slow."""
        # Looked at before, not after: one large message is no sign of a slow client.
        if self._websocket.transport.get_write_buffer_size() > MOST_UNREAD:
            self.cut()
        else:
            broadcast((self._websocket,), payload, text=True)

    def cut(self) -> None:
        """End the connection: it is too slow."""
        self._close(Close.TOO_SLOW, "too slow; come back and resume")

    def end(self, subscription: Subscription, reason: str) -> None:
        """End a subscription and say why."""
        self._drop(subscription)
        self.deliver(messages.ended(subscription.name, reason))

    def revise(self) -> None:
        """Keep the subscriptions that the client may still have, on today's channels."""
        if self._login is None:
            return
        identity = self._shop.current.permitted(self._login.identity)
        self._login = replace(self._login, identity=identity)
        for subscription in tuple(self._subscriptions.values()):
            self._revise(subscription)

    async def has_room(self) -> None:
        """Wait until the client has taken most of what was sent."""
        deadline = time.monotonic() + _ROOM_PATIENCE
        while self._open and self._websocket.transport.get_write_buffer_size() > _ROOM:
            if time.monotonic() > deadline:
                self.cut()
            await asyncio.sleep(0.01)
        if not self._open:
            self._forget()

    # Beginning and end.

    @property
    def _open(self) -> bool:
        return self._closing is None and self._websocket.state is State.OPEN
