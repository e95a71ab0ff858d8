"""Who listens to what: subscriptions, and the hub that hands them the events."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from bodega.assembly import Assembly
from bodega_realtime import messages
from bodega_realtime.outlet import Outlet
from bodega_sdk.events import Channel, Occurrence

#: Bytes that a subscription keeps of what happens while it catches up.
_MOST_WAITING = 2**20


class Listener(Protocol):
    """A connection, as the hub sees it."""

    def revise(self) -> None:
        """Look at the subscriptions again: the Assembly was swapped."""

    def check_session(self) -> None:
        """Leave if the session has ended: something was revoked."""


@dataclass(eq=False, slots=True)
class Subscription:
    """One client's subscription to one channel.

    Args:
        name: the channel as the client named it, e.g. ``"imports.0190…"``.
        key: of the events.
        open: False once it has ended.
        overflown: whether more happened during a hold than is kept.
    """

    name: str
    channel: Channel
    key: str
    outlet: Outlet
    open: bool = True
    overflown: bool = False
    _after: int = 0
    _waiting: list[tuple[int, bytes]] | None = None
    _waiting_size: int = 0

    def hold(self) -> None:
        """Keep what happens from now on instead of sending it; drop what was kept."""
        self._waiting, self._waiting_size, self.overflown = [], 0, False

    def skip(self, reached: int) -> None:
        """Send nothing up to an offset: the log gives it."""
        self._after = reached
        self._waiting = [item for item in self._waiting or () if item[0] > reached]
        self._waiting_size = sum(len(payload) for _, payload in self._waiting)

    def release(self) -> None:
        """Send what was kept, and from now on everything."""
        waiting, self._waiting = self._waiting or [], None
        for offset, payload in waiting:
            self.offer(offset, payload)

    def offer(self, offset: int, payload: bytes) -> None:
        """Send an event, or keep it."""
        if offset <= self._after or self.overflown:
            return
        if self._waiting is None:
            self.outlet.deliver(payload)
            return
        self._waiting.append((offset, payload))
        self._waiting_size += len(payload)
        if self._waiting_size > _MOST_WAITING:
            self._waiting, self.overflown = [], True


@dataclass(eq=False, slots=True)
class Hub:
    """Hands each event to the subscriptions it concerns; lives in the event loop.

    Args:
        epoch: the shop's id: offsets mean nothing in another shop.
        position: offset up to which every event was handed out.
        channels: those of the Assembly that is served.
        wanted: names of the events that somebody listens to.
        listeners: every connection, subscribed or not.
    """

    epoch: str
    position: int = 0
    channels: tuple[Channel, ...] = ()
    wanted: frozenset[str] = frozenset()
    listeners: set[Listener] = field(default_factory=set)
    _counts: Counter[str] = field(default_factory=Counter)
    # (event, key) → channel's name → its subscriptions.
    _index: dict[tuple[str, str], dict[str, set[Subscription]]] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Channel, str] | None:
        """Return the channel of a name and the key in it; of several, the most specific."""
        found = [(c, key) for c in self.channels if (key := c.key_of(name)) is not None]
        return min(found, key=lambda pair: len(pair[1]), default=None)

    def add(self, subscription: Subscription) -> None:
        """Hand events to a subscription from now on."""
        for event in frozenset(subscription.channel.events):
            named = self._index.setdefault((event, subscription.key), {})
            named.setdefault(subscription.name, set()).add(subscription)
            self._counts[event] += 1
            if self._counts[event] == 1:
                self.wanted |= {event}

    def remove(self, subscription: Subscription) -> None:
        """Hand it no more."""
        for event in frozenset(subscription.channel.events):
            named = self._index[event, subscription.key]
            named[subscription.name].discard(subscription)
            if not named[subscription.name]:
                del named[subscription.name]
            if not named:
                del self._index[event, subscription.key]
            self._counts[event] -= 1
            if not self._counts[event]:
                del self._counts[event]
                self.wanted -= {event}

    def dispatch(self, event: Occurrence) -> None:
        """Hand an event to whom it concerns; it is encoded once for each channel."""
        for name, subscriptions in tuple(self._index.get((event.name, event.key), {}).items()):
            payload = messages.event(name, event)
            for subscription in tuple(subscriptions):
                subscription.offer(event.offset, payload)
        self.position = event.offset

    def adopt(self, assembly: Assembly) -> None:
        """Offer the channels of another Assembly; subscriptions to those gone end."""
        self.channels = assembly.channels
        for listener in tuple(self.listeners):
            listener.revise()
