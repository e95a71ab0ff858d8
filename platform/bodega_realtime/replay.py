"""The replay: what a returning subscriber missed, then live, without gap or double.

Everything up to the hub's position is in the log, so what the log gives after the
subscription began to hold, and what it held, overlap. Each full page begins anew, so
that only what happens during the last one is ever held.
"""

from typing import Protocol

from bodega_realtime import messages
from bodega_realtime.messages import Message
from bodega_realtime.reader import LogReader, Page
from bodega_realtime.subscriptions import Hub, Subscription


class Recipient(Protocol):
    """A connection, as the replay sees it."""

    def deliver(self, payload: bytes) -> None:
        """Send a message now."""

    def end(self, subscription: Subscription, reason: str) -> None:
        """End a subscription and say why."""

    async def has_room(self) -> None:
        """Wait until the client has taken most of what was sent."""


async def replay(
    recipient: Recipient,
    subscription: Subscription,
    message: Message,
    hub: Hub,
    reader: LogReader,
) -> None:
    """Bring a subscription from the offset of its message to the present.

    Raises:
        Unavailable: the log cannot be read.
    """
    after = message.offset or 0
    page = await _page(subscription, after, reader)
    if not page.reaches_back(after):
        recipient.deliver(messages.subscribed(message, hub.position, hub.epoch, False))
        subscription.release(hub.position)
        return
    recipient.deliver(messages.subscribed(message, page.reached, hub.epoch, True))
    while True:
        await _send(recipient, subscription, page)
        after = page.events[-1].offset if page.events else after
        if not page.full or not subscription.open:
            break
        page = await _page(subscription, after, reader)
        if subscription.open and not page.reaches_back(after):
            recipient.end(subscription, "the log was shortened meanwhile; subscribe again")
    if subscription.open:
        subscription.release(after)


async def _page(subscription: Subscription, after: int, reader: LogReader) -> Page:
    subscription.hold()
    return await reader.behind(after, subscription.channel.events, subscription.key)


async def _send(recipient: Recipient, subscription: Subscription, page: Page) -> None:
    for event in page.events:
        await recipient.has_room()
        if not subscription.open:
            return
        recipient.deliver(messages.event(subscription.name, event))
