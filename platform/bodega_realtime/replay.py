"""The replay: what a returning subscriber missed, then live, without gap or double.

A subscription holds what happens while a page of the log is read and sent. Everything up
to the hub's position is in the log, so the page and what is held overlap and nothing
falls between; what the page covers is not sent again. Each page begins anew: only what
happens during the last one is held, and if that is too much, another page follows.
"""

from bodega_realtime import messages
from bodega_realtime.messages import Message
from bodega_realtime.outlet import Outlet
from bodega_realtime.reader import LogReader, Page
from bodega_realtime.subscriptions import Hub, Subscription


async def replay(
    outlet: Outlet, subscription: Subscription, message: Message, hub: Hub, reader: LogReader
) -> bool:
    """Answer a message that has an offset and bring its subscription to the present.

    Returns:
        False when the log was pruned on the way; the subscription has a gap then.

    Raises:
        Unavailable: the log cannot be read.
    """
    after = message.offset or 0
    page = await _page(subscription, after, reader)
    if not subscription.open:
        return True
    if not page.reaches_back(after):
        outlet.deliver(messages.subscribed(message, hub.position, hub.epoch, False))
        subscription.skip(hub.position)
        subscription.release()
        return True
    outlet.deliver(messages.subscribed(message, page.reached, hub.epoch, True))
    while await _sent(outlet, subscription, page):
        after = page.events[-1].offset if page.events else after
        if not (page.full or subscription.overflown):
            subscription.release()
            break
        page = await _page(subscription, after, reader)
        if not page.reaches_back(after):
            return False
    return True


async def _page(subscription: Subscription, after: int, reader: LogReader) -> Page:
    subscription.hold()
    page = await reader.behind(after, subscription.channel.events, subscription.key)
    subscription.skip(page.reached)
    return page


async def _sent(outlet: Outlet, subscription: Subscription, page: Page) -> bool:
    """Send a page; False when the client is gone or the subscription has ended."""
    for event in page.events:
        if not (await outlet.has_room() and subscription.open):
            return False
        outlet.deliver(messages.event(subscription.name, event))
    return outlet.open and subscription.open
