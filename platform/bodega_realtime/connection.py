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
from bodega_realtime.replay import replay
from bodega_realtime.subscriptions import Hub, Subscription
from bodega_sdk.errors import Unauthenticated, Unavailable
from bodega_sdk.events import Channel
from bodega_sdk.models import now
from bodega_sdk.permissions import permissions_of

log = structlog.get_logger(__name__)
#: How long a client may take to say who it is.
PATIENCE = timedelta(seconds=10)
#: Subscriptions of a connection, at most.
MOST_SUBSCRIPTIONS = 100
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
        self._reader = reader
        self._outlet = Outlet(websocket, self._forget)
        self._login: Login | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._malformed = 0
        self._timer: asyncio.TimerHandle | None = None

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
        for subscription in tuple(self._subscriptions.values()):
            self._drop(subscription)

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
                await self._subscribe(message)
            case "unsubscribe":
                self._unsubscribe(message)
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

    # What it listens to.

    async def _subscribe(self, message: Message) -> None:
        channel, key = self._allowed(message)
        subscription = Subscription(message.channel, channel, key, self._outlet)
        self._subscriptions[message.channel] = subscription
        self._hub.add(subscription)
        known = message.epoch in (None, self._hub.epoch)
        if message.offset is None or not known:
            self._outlet.deliver(
                messages.subscribed(message, self._hub.position, self._hub.epoch, known)
            )
        else:
            await self._replay(subscription, message)

    def _allowed(self, message: Message) -> tuple[Channel, str]:
        if self._login is None:
            raise message.refused(messages.UNAUTHENTICATED, "Authenticate first.")
        found = self._hub.find(message.channel)
        if found is None:
            raise message.refused(messages.UNKNOWN_CHANNEL, "There is no such channel.")
        if not self._login.identity.may(found[0].permission):
            text = f"This takes the permission '{found[0].permission}'."
            raise message.refused(messages.PERMISSION_DENIED, text)
        if message.channel in self._subscriptions:
            raise message.refused(messages.ALREADY_SUBSCRIBED, "Unsubscribe first.")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            text = f"A connection has {MOST_SUBSCRIPTIONS} subscriptions at most."
            raise message.refused(messages.TOO_MANY_SUBSCRIPTIONS, text)
        return found

    async def _replay(self, subscription: Subscription, message: Message) -> None:
        try:
            if not await replay(self._outlet, subscription, message, self._hub, self._reader):
                self._end(subscription, "the log was pruned meanwhile; subscribe again")
        except Unavailable as error:
            log.warning("a replay failed", reason=error.detail)
            self._drop(subscription)
            text = "The log cannot be read now; subscribe again later."
            raise message.refused(messages.UNAVAILABLE, text) from None

    def _unsubscribe(self, message: Message) -> None:
        subscription = self._subscriptions.get(message.channel)
        if subscription is None:
            raise message.refused(messages.NOT_SUBSCRIBED, "There is no such subscription.")
        self._drop(subscription)
        self._outlet.deliver(messages.unsubscribed(message))

    def _drop(self, subscription: Subscription) -> None:
        if subscription.open:
            subscription.open = False
            del self._subscriptions[subscription.name]
            self._hub.remove(subscription)

    def _end(self, subscription: Subscription, reason: str) -> None:
        if subscription.open:
            self._drop(subscription)
            self._outlet.deliver(messages.ended(subscription.name, reason))

    def revise(self) -> None:
        """Keep the subscriptions that the client may still have, on today's channels."""
        if self._login is None:
            return
        identity, assembly = self._login.identity, self._shop.assembly
        held = permissions_of(identity.roles, assembly.grants, assembly.permissions)
        self._login = replace(self._login, identity=replace(identity, permissions=held))
        for subscription in tuple(self._subscriptions.values()):
            self._revise(subscription)

    def _revise(self, subscription: Subscription) -> None:
        found = self._hub.find(subscription.name)
        if found is None:
            self._end(subscription, "the addon was disabled")
        elif self._login is None or not self._login.identity.may(found[0].permission):
            self._end(subscription, "the permission was withdrawn")
        elif found != (subscription.channel, subscription.key):
            self._hub.remove(subscription)
            subscription.channel, subscription.key = found
            self._hub.add(subscription)
