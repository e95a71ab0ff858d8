"""Sending everybody away when the server stops: not all at once, and not for long."""

import asyncio

from bodega_realtime.messages import Close
from bodega_realtime.subscriptions import Hub

#: Seconds until the last is told, and clients told in a second at least.
LONGEST, RATE = 1.5, 500
_STEP = 0.05


async def drain(hub: Hub, code: Close) -> None:
    """Tell every client to go; a crowd over some time, so that it does not return at once.

    What happens meanwhile still reaches those who are not gone yet.
    """
    listeners = tuple(hub.listeners)
    turns = max(1, round(min(LONGEST, len(listeners) / RATE) / _STEP))
    size = max(1, -(-len(listeners) // turns))
    for start in range(0, len(listeners), size):
        if start:
            await asyncio.sleep(_STEP)
        for listener in listeners[start : start + size]:
            listener.leave(code, "the server is stopping")
