"""The subscriptions of one client."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from bodega_realtime import messages
from bodega_realtime.conflating import Latest
from bodega_realtime.frames import Encode
from bodega_realtime.messages import Message
from bodega_realtime.outlet import Outlet
from bodega_realtime.reader import LogReader
from bodega_realtime.replay import replay
from bodega_realtime.subscriptions import Hub, Part, Subscription
from bodega_sdk.errors import Unavailable
from bodega_sdk.identity import Identity

log = structlog.get_logger(__name__)
#: Subscriptions of a connection, at most.
MOST_SUBSCRIPTIONS = 100


class Told(Protocol):
    """How a client is told what becomes of its subscriptions."""

    def subscribed(self, message: Message, offset: int, recovered: bool) -> None:
        """Say that a subscription begins."""

    def ended(self, channel: str, reason: str) -> None:
        """Say that a subscription was ended by the server."""


class Subscriber:
    """Begins and ends the subscriptions of a connection, and keeps them within what it may.

    Args:
        encode: makes an event what is written to the client.
    """

    def __init__(
        self, told: Told, outlet: Outlet, hub: Hub, reader: LogReader, encode: Encode
    ) -> None:
        self._told = told
        self._outlet = outlet
        self._hub = hub
        self._reader = reader
        self._encode = encode
        self._subscriptions: dict[str, Subscription] = {}

    async def subscribe(
        self, identity: Identity, message: Message, names: Sequence[str] = ()
    ) -> None:
        """Begin a subscription and bring it to the present.

        Args:
            names: the channels, where they are several that are resumed together.

        Raises:
            Refused: there is no such channel, the client may not, or it has it already.
        """
        parts = await self.admit(identity, message, names)
        latest = None if message.conflate is None else Latest(self._outlet, message.conflate)
        subscription = Subscription(parts, self._outlet, self._encode, latest)
        self._subscriptions[subscription.name] = subscription
        self._hub.add(subscription)
        known = message.epoch in (None, self._hub.epoch)
        if message.offset is not None and known:
            await self._replay(subscription, message, message.offset)
        else:
            self._told.subscribed(message, self._hub.position, known)

    async def admit(
        self, identity: Identity, message: Message, names: Sequence[str] = ()
    ) -> tuple[Part, ...]:
        """Return the channels of a message that asks for some.

        Raises:
            Refused: as for subscribing to them.
        """
        parts = tuple(self._allowed(identity, message, name) for name in names or [message.channel])
        for part in parts:
            await self._ask(identity, part, message)
        return parts

    def _allowed(self, identity: Identity, message: Message, name: str) -> Part:
        found = self._hub.find(name)
        if found is None:
            raise message.refused(messages.UNKNOWN_CHANNEL, "There is no such channel.")
        if not identity.may(found[0].permission):
            text = f"This takes the permission '{found[0].permission}'."
            raise message.refused(messages.PERMISSION_DENIED, text)
        if name in self._subscriptions:
            raise message.refused(messages.ALREADY_SUBSCRIBED, "Unsubscribe first.")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            text = f"A connection has {MOST_SUBSCRIPTIONS} subscriptions at most."
            raise message.refused(messages.TOO_MANY_SUBSCRIPTIONS, text)
        if message.conflate is not None and not found[0].conflate:
            text = "This channel is of facts that add up: each must be read."
            raise message.refused(messages.NOT_CONFLATABLE, text)
        return Part(name, *found)

    async def _ask(self, identity: Identity, part: Part, message: Message) -> None:
        """Let the channel say whether the client may follow just this."""
        try:
            allowed = await self._reader.follow(part.channel, identity, part.key)
        except Unavailable as error:
            raise message.refused(messages.UNAVAILABLE, error.detail) from None
        if not allowed:
            text = "There is nothing of this name that you may follow."
            raise message.refused(messages.PERMISSION_DENIED, text)

    async def review(self, identity: Identity) -> None:
        """Ask the channels again whether the client may follow what it does."""
        for subscription in tuple(self._subscriptions.values()):
            if not await self._may_all(identity, subscription):
                self._end(subscription, "the permission was withdrawn")

    async def _may_all(self, identity: Identity, subscription: Subscription) -> bool:
        try:
            for part in subscription.parts:
                if not await self._reader.follow(part.channel, identity, part.key):
                    return False
        except Unavailable:
            return False
        return True

    async def _replay(self, subscription: Subscription, message: Message, after: int) -> None:
        def answer(reached: int, recovered: bool) -> None:
            self._told.subscribed(message, reached, recovered)

        try:
            if not await replay(subscription, after, answer, self._hub, self._reader):
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
        self._outlet.tell(messages.unsubscribed(message))

    def revise(self, identity: Identity) -> None:
        """Keep what the client may still have, on today's channels."""
        for subscription in tuple(self._subscriptions.values()):
            found = [(part, self._hub.find(part.name)) for part in subscription.parts]
            parts = tuple(Part(part.name, *now) for part, now in found if now is not None)
            if len(parts) < len(found):
                self._end(subscription, "the addon was disabled")
            elif not all(identity.may(part.channel.permission) for part in parts):
                self._end(subscription, "the permission was withdrawn")
            elif parts != subscription.parts:
                self._hub.remove(subscription)
                subscription.parts = parts
                self._hub.add(subscription)

    @property
    def empty(self) -> bool:
        """Whether there are none."""
        return not self._subscriptions

    def flush(self) -> None:
        """Send the latest values that wait for their time."""
        for subscription in self._subscriptions.values():
            if subscription.latest is not None:
                subscription.latest.flush()

    def forget(self) -> None:
        """End every subscription without a word: the client is gone."""
        for subscription in tuple(self._subscriptions.values()):
            self._drop(subscription)

    def _end(self, subscription: Subscription, reason: str) -> None:
        if subscription.open:
            self._drop(subscription)
            self._told.ended(subscription.name, reason)

    def _drop(self, subscription: Subscription) -> None:
        if subscription.open:
            subscription.open = False
            del self._subscriptions[subscription.name]
            self._hub.remove(subscription)
            if subscription.latest is not None:
                subscription.latest.end()
