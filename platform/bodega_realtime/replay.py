"""The replay: what a returning subscriber missed, then live, without gap or double.

A subscription holds what happens while a page of the log is read and sent. Everything up
to the hub's position is in the log, so the page and what is held overlap and nothing
falls between; what the page covers is not sent again. Each page begins anew: only what
happens during the last one is held, and if that is too much, another page follows.
"""

from collections.abc import Callable

from bodega_realtime.reader import LogReader, Page
from bodega_realtime.subscriptions import Hub, Subscription

#: Told once: the offset up to which the log was read, and whether the subscription resumed.
Answer = Callable[[int, bool], None]


async def replay(
    subscription: Subscription, after: int, answer: Answer, hub: Hub, reader: LogReader
) -> bool:
    """Answer a subscriber that comes back and bring its subscription to the present.

    Args:
        after: the offset behind which it goes on.

    Returns:
        False when the log was pruned on the way; the subscription has a gap then.

    Raises:
        Unavailable: the log cannot be read.
    """
    page = await _page(subscription, after, reader)
    if not subscription.open:
        return True
    if not page.reaches_back(after):
        hub.meters.unrecovered += 1
        answer(hub.position, False)
        subscription.skip(hub.position)
        subscription.release()
        return True
    hub.meters.replays += 1
    answer(page.reached, True)
    while await _sent(subscription, page, hub):
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
    names = sorted({name for part in subscription.parts for name in part.channel.events})
    keys = {part.index_key for part in subscription.parts}
    # Of all keys as soon as one channel carries all of them.
    wanted = None if None in keys else tuple(key for key in keys if key is not None)
    page = await reader.behind(after, names, wanted)
    subscription.skip(page.reached)
    return page


async def _sent(subscription: Subscription, page: Page, hub: Hub) -> bool:
    """Send a page; False when the client is gone or the subscription has ended."""
    outlet = subscription.outlet
    for event in page.events:
        channel = subscription.channel_of(event)
        if channel is None:
            continue
        if not (await outlet.has_room() and subscription.open):
            return False
        subscription.give(event, subscription.encode(channel, event))
        hub.meters.replayed += 1
    return outlet.open and subscription.open
