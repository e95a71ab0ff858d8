"""The conversation with one client that speaks the protocol."""

from datetime import timedelta

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bodega_realtime import frames, messages
from bodega_realtime.client import Client, House
from bodega_realtime.login import token_of
from bodega_realtime.messages import Close, Message, Refused
from bodega_realtime.outlet import Outlet
from bodega_sdk.errors import Unavailable

log = structlog.get_logger(__name__)
#: How long a client may take to say who it is.
PATIENCE = timedelta(seconds=10)
#: Messages in a row that cannot be read, at most.
MOST_MALFORMED = 10
#: What it takes to be told who else is there.
_SEE_PRESENCE = "bodega.read"


class Connection(Client):
    """One client, from its handshake to its end."""

    def __init__(self, websocket: ServerConnection, house: House) -> None:
        outlet = Outlet(websocket, house.pump, self.forget, house.hub.meters)
        super().__init__(house, outlet, frames.message)
        self._websocket = websocket
        self._malformed = 0

    async def run(self) -> None:
        """Talk until either side ends the connection."""
        self.enter()
        self._close_in(PATIENCE, "no token came in time")
        try:
            self._greet()
            async for text in self._websocket:
                if self._outlet.open:
                    await self._receive(text)
        except ConnectionClosed:
            log.debug("a client is gone", code=self._websocket.close_code)
        finally:
            self.exit()

    async def _receive(self, text: str | bytes) -> None:
        try:
            message = messages.parse(text)
            self._malformed = 0
            await self._act(message)
        except Refused as refused:
            self._refuse(refused)

    async def _act(self, message: Message) -> None:
        match message.type:
            case "authenticate":
                self._authenticate(message)
            case "subscribe":
                if self._login is None:
                    raise message.refused(messages.UNAUTHENTICATED, "Authenticate first.")
                await self._subscriber.subscribe(self._login.identity, message)
            case "unsubscribe":
                self._subscriber.unsubscribe(message)
            case "presence":
                await self._count(message)
            case "ping":
                self._subscriber.flush()
                self._outlet.tell(messages.pong(message, self._house.hub.position))

    async def _count(self, message: Message) -> None:
        if self._login is None:
            raise message.refused(messages.UNAUTHENTICATED, "Authenticate first.")
        if not self._login.identity.may(_SEE_PRESENCE):
            text = f"This takes the permission '{_SEE_PRESENCE}'."
            raise message.refused(messages.PERMISSION_DENIED, text)
        try:
            found = await self._house.presence.subscribers(message.channel)
        except Unavailable as error:
            raise message.refused(messages.UNAVAILABLE, error.detail) from None
        self._outlet.tell(messages.present(message, found))

    def _refuse(self, refused: Refused) -> None:
        self._outlet.tell(messages.error(refused))
        if refused.code in (messages.MALFORMED, messages.UNKNOWN_TYPE):
            self._malformed += 1
            if self._malformed >= MOST_MALFORMED:
                self._outlet.close(Close.MALFORMED, "too many messages that cannot be read")

    def _greet(self) -> None:
        """Take the token of the handshake, if it has one."""
        request = self._websocket.request
        token = token_of(request) if request is not None else None
        if token is None:
            return
        try:
            self._authenticate(Message("authenticate", token=token))
        except Refused as refused:
            self._refuse(refused)
            self._outlet.close(Close.UNAUTHENTICATED, "the token is no good")

    def _authenticate(self, message: Message) -> None:
        login = self.log_in(message)
        self._outlet.tell(
            messages.authenticated(
                message, login.identity.subject, login.expires_at, self._house.hub.epoch
            )
        )
        self.revise()

    def subscribed(self, message: Message, offset: int, recovered: bool) -> None:
        """Say that a subscription begins."""
        epoch = self._house.hub.epoch
        self._outlet.tell(messages.subscribed(message, offset, epoch, recovered))

    def ended(self, channel: str, reason: str) -> None:
        """Say that a subscription was ended by the server; the connection stays."""
        self._outlet.tell(messages.ended(channel, reason))
