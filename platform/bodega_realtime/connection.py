"""The conversation with one client."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bodega.shop import Shop
from bodega_realtime import messages
from bodega_realtime.login import Login, log_in, token_of
from bodega_realtime.messages import Close, Message, Refused
from bodega_realtime.outlet import Outlet
from bodega_realtime.reader import LogReader
from bodega_realtime.subscriber import Subscriber
from bodega_realtime.subscriptions import Hub
from bodega_sdk.errors import Unauthenticated
from bodega_sdk.models import now
from bodega_sdk.permissions import permissions_of

log = structlog.get_logger(__name__)
#: How long a client may take to say who it is.
PATIENCE = timedelta(seconds=10)
#: Messages in a row that cannot be read, at most.
MOST_MALFORMED = 10


class Connection:
    """One client, from its handshake to its end."""

    def __init__(
        self, websocket: ServerConnection, shop: Shop, hub: Hub, reader: LogReader
    ) -> None:
        self._websocket = websocket
        self._shop = shop
        self._hub = hub
        self._outlet = Outlet(websocket, self._forget)
        self._subscriber = Subscriber(self._outlet, hub, reader)
        self._login: Login | None = None
        self._malformed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._review: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Talk until either side ends the connection."""
        self._hub.listeners.add(self)
        self._close_in(PATIENCE, "no token came in time")
        try:
            self._greet()
            async for text in self._websocket:
                if self._outlet.open:
                    await self._receive(text)
        except ConnectionClosed:
            log.debug("a client is gone", code=self._websocket.close_code)
        finally:
            self._hub.listeners.discard(self)
            self._forget()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._review is not None:
            self._review.cancel()
        self._subscriber.forget()

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
            case "ping":
                self._outlet.deliver(messages.pong(message, self._hub.position))

    def _refuse(self, refused: Refused) -> None:
        self._outlet.deliver(messages.error(refused))
        if refused.code in (messages.MALFORMED, messages.UNKNOWN_TYPE):
            self._malformed += 1
            if self._malformed >= MOST_MALFORMED:
                self._outlet.close(Close.MALFORMED, "too many messages that cannot be read")

    # Who it is.

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
        try:
            login = log_in(self._shop.current, message.token)
        except Unauthenticated as error:
            raise message.refused(messages.UNAUTHENTICATED, error.detail) from None
        subject = login.identity.subject
        if self._login is not None and self._login.identity.subject != subject:
            raise message.refused(
                messages.OTHER_SUBJECT,
                "This connection belongs to another account; open a new one.",
            )
        self._login = login
        self._close_in(login.expires_at - now(), "the token has expired")
        self._outlet.deliver(
            messages.authenticated(message, subject, login.expires_at, self._hub.epoch)
        )
        self.revise()

    def _close_in(self, time: timedelta, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(
            max(0.0, time.total_seconds()), self._outlet.close, Close.UNAUTHENTICATED, reason
        )

    def revise(self) -> None:
        """Hold the client to what its roles grant in today's Assembly."""
        if self._login is None:
            return
        identity, assembly = self._login.identity, self._shop.assembly
        held = permissions_of(identity.roles, assembly.grants, assembly.permissions)
        self._login = replace(self._login, identity=replace(identity, permissions=held))
        self._subscriber.revise(self._login.identity)
        review = self._subscriber.review(self._login.identity)
        # Held until it is done, or the loop would forget it.
        self._review = asyncio.get_running_loop().create_task(review)

    def check_session(self) -> None:
        """Send the client away if its session has ended."""
        login = self._login
        if login is None or not self._outlet.open:
            return
        if self._shop.revocations.refuses(login.identity.session, login.version):
            self._outlet.close(Close.UNAUTHENTICATED, "the session has ended")
