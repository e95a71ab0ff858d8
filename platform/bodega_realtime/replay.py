"""The replay: what a returning subscriber missed, then live, without gap or double.

A subscription holds what happens while a page of the log is read and sent. Everything up
to the hub's position is in the log, so the page and what is held overlap and nothing
falls between; what is in both is sent once. Each page begins anew: only what happens
during the last one is ever held.
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
    if not page.reaches_back(after):
        outlet.deliver(messages.subscribed(message, hub.position, hub.epoch, False))
        subscription.release(hub.position)
        return True
    outlet.deliver(messages.subscribed(message, page.reached, hub.epoch, True))
    while True:
        await _send(outlet, subscription, page)
        after = page.events[-1].offset if page.events else after
        if not (page.full and subscription.open):
            break
        page = await _page(subscription, after, reader)
        if not page.reaches_back(after):
            return False
    subscription.release(after)
    return True


async def _page(subscription: Subscription, after: int, reader: LogReader) -> Page:
    subscription.hold()
    return await reader.behind(after, subscription.channel.events, subscription.key)


async def _send(outlet: Outlet, subscription: Subscription, page: Page) -> None:
    for event in page.events:
        if not (await outlet.has_room() and subscription.open):
            return
        outlet.deliver(messages.event(subscription.name, event))
