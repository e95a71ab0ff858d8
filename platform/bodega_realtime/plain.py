"""Plain streams: one channel, and each event's data as a message; no protocol to learn."""

from dataclasses import replace

import orjson
import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bodega_realtime import connection, frames, messages
from bodega_realtime.asked import Asked
from bodega_realtime.client import Client, House
from bodega_realtime.login import token_of
from bodega_realtime.messages import Close, Message, Refused
from bodega_realtime.outlet import Outlet

log = structlog.get_logger(__name__)
#: Bytes of the reason that ends a connection, at most (RFC 6455, 5.5).
_LONGEST_REASON = 123


class PlainStream(Client):
    """One client of a plain stream, from its handshake to its end.

    Args:
        channel: that it is given.
    """

    kind = "plain"

    def __init__(
        self, websocket: ServerConnection, house: House, channel: str, asked: Asked
    ) -> None:
        outlet = Outlet(websocket, house.pump, self.forget, house.hub.meters)
        super().__init__(house, outlet, frames.message if asked.envelope else frames.data)
        self._websocket = websocket
        self._asked = asked
        self._message = replace(asked.message, channel=channel)

    async def run(self) -> None:
        """Stream until either side ends the connection."""
        self.enter()
        self._close_in(connection.PATIENCE, "no token came in time")
        try:
            request = self._websocket.request
            token = token_of(request) if request is not None else None
            if token is not None:
                await self._take(token)
            async for text in self._websocket:
                if self._outlet.open:
                    await self._hear(text)
        except ConnectionClosed:
            log.debug("a client is gone", code=self._websocket.close_code)
        finally:
            self.exit()

    async def _hear(self, text: str | bytes) -> None:
        """Take a token; whatever else a client says makes no difference."""
        token = _token_in(text)
        if token is None and self._login is None:
            # It can only be the token itself.
            token = text.strip() if isinstance(text, str) else ""
        if token is not None:
            await self._take(token)

    async def _take(self, token: str) -> None:
        known = self._login is not None
        try:
            login = self.log_in(Message("authenticate", token=token))
            if known:
                self.revise()
            else:
                await self._subscriber.subscribe(login.identity, self._message)
        except Refused as refused:
            self._outlet.close(self.refused_with(refused), _short(refused.text))

    def subscribed(self, message: Message, offset: int, recovered: bool) -> None:
        """Say so to who asked for envelopes; end the stream that has a gap otherwise."""
        if self._asked.envelope:
            epoch = self._house.hub.epoch
            self._outlet.tell(messages.subscribed(message, offset, epoch, recovered))
        elif not recovered:
            self._outlet.close(Close.UNRECOVERABLE, "the log does not reach back to this offset")

    def ended(self, channel: str, reason: str) -> None:
        """End the connection: there is nothing else to it."""
        self._outlet.close(Close.FORBIDDEN, _short(reason))


def _token_in(text: str | bytes) -> str | None:
    """Return the token of ``{"type": "authenticate", "token": …}``, if it is that."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    token = found.get("token") if isinstance(found, dict) else None
    return token if isinstance(token, str) else None


def _short(text: str) -> str:
    return text.encode()[:_LONGEST_REASON].decode(errors="ignore")
