"""The subscriptions of one client."""

import structlog

from bodega_realtime import messages
from bodega_realtime.messages import Message
from bodega_realtime.outlet import Outlet
from bodega_realtime.reader import LogReader
from bodega_realtime.replay import replay
from bodega_realtime.subscriptions import Hub, Subscription
from bodega_sdk.errors import Unavailable
from bodega_sdk.events import Channel
from bodega_sdk.identity import Identity

log = structlog.get_logger(__name__)
#: Subscriptions of a connection, at most.
MOST_SUBSCRIPTIONS = 100


class Subscriber:
    """Begins and ends the subscriptions of a connection, and keeps them within what it may."""

    def __init__(self, outlet: Outlet, hub: Hub, reader: LogReader) -> None:
        self._outlet = outlet
        self._hub = hub
        self._reader = reader
        self._subscriptions: dict[str, Subscription] = {}

    async def subscribe(self, identity: Identity, message: Message) -> None:
        """Begin a subscription and bring it to the present.

        Raises:
            Refused: there is no such channel, the client may not, or it has it already.
        """
        channel, key = self._allowed(identity, message)
        await self._ask(identity, channel, key, message)
        subscription = Subscription(message.channel, channel, key, self._outlet)
        self._subscriptions[message.channel] = subscription
        self._hub.add(subscription)
        known = message.epoch in (None, self._hub.epoch)
        if message.offset is not None and known:
            await self._replay(subscription, message)
        else:
            self._outlet.deliver(
                messages.subscribed(message, self._hub.position, self._hub.epoch, known)
            )

    def _allowed(self, identity: Identity, message: Message) -> tuple[Channel, str]:
        found = self._hub.find(message.channel)
        if found is None:
            raise message.refused(messages.UNKNOWN_CHANNEL, "There is no such channel.")
        if not identity.may(found[0].permission):
            text = f"This takes the permission '{found[0].permission}'."
            raise message.refused(messages.PERMISSION_DENIED, text)
        if message.channel in self._subscriptions:
            raise message.refused(messages.ALREADY_SUBSCRIBED, "Unsubscribe first.")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            text = f"A connection has {MOST_SUBSCRIPTIONS} subscriptions at most."
            raise message.refused(messages.TOO_MANY_SUBSCRIPTIONS, text)
        return found

    async def _ask(self, identity: Identity, channel: Channel, key: str, message: Message) -> None:
        """Let the channel say whether the client may follow just this."""
        try:
            allowed = await self._reader.follow(channel, identity, key)
        except Unavailable as error:
            raise message.refused(messages.UNAVAILABLE, error.detail) from None
        if not allowed:
            text = "There is nothing of this name that you may follow."
            raise message.refused(messages.PERMISSION_DENIED, text)

    async def review(self, identity: Identity) -> None:
        """Ask the channels again whether the client may follow what it does."""
        for subscription in tuple(self._subscriptions.values()):
            try:
                channel, key = subscription.channel, subscription.key
                allowed = await self._reader.follow(channel, identity, key)
            except Unavailable:
                allowed = False
            if not allowed:
                self._end(subscription, "the permission was withdrawn")

    async def _replay(self, subscription: Subscription, message: Message) -> None:
        try:
            if not await replay(self._outlet, subscription, message, self._hub, self._reader):
                self._end(subscription, "the log was pruned meanwhile; subscribe again")
        except Unavailable as error:
            log.warning("a replay failed", reason=error.detail)
            self._drop(subscription)
            text = "The log cannot be read now; subscribe again later."
            raise message.refused(messages.UNAVAILABLE, text) from None

    def unsubscribe(self, message: Message) -> None:
        """End a subscription.

        Raises:
            Refused: there is none.
        """
        subscription = self._subscriptions.get(message.channel)
        if subscription is None:
            raise message.refused(messages.NOT_SUBSCRIBED, "There is no such subscription.")
        self._drop(subscription)
        self._outlet.deliver(messages.unsubscribed(message))

    def revise(self, identity: Identity) -> None:
        """Keep what the client may still have, on today's channels."""
        for subscription in tuple(self._subscriptions.values()):
            found = self._hub.find(subscription.name)
            if found is None:
                self._end(subscription, "the addon was disabled")
            elif not identity.may(found[0].permission):
                self._end(subscription, "the permission was withdrawn")
            elif found != (subscription.channel, subscription.key):
                self._hub.remove(subscription)
                subscription.channel, subscription.key = found
                self._hub.add(subscription)

    def forget(self) -> None:
        """End every subscription without a word: the client is gone."""
        for subscription in tuple(self._subscriptions.values()):
            self._drop(subscription)

    def _end(self, subscription: Subscription, reason: str) -> None:
        if subscription.open:
            self._drop(subscription)
            self._outlet.deliver(messages.ended(subscription.name, reason))

    def _drop(self, subscription: Subscription) -> None:
        if subscription.open:
            subscription.open = False
            del self._subscriptions[subscription.name]
            self._hub.remove(subscription)
