"""Who listens to what: subscriptions, and the hub that hands them the events."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bodega.assembly import Assembly
from bodega_realtime import frames
from bodega_realtime.conflating import Latest
from bodega_realtime.frames import Encode
from bodega_realtime.messages import Close
from bodega_realtime.meters import Meters
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

    def leave(self, code: Close, reason: str) -> None:
        """End the connection."""


class Part(NamedTuple):
    """One channel of a subscription.

    Args:
        name: the channel as the client named it, e.g. ``"imports.0190…"``.
        key: of the events.
    """

    name: str
    channel: Channel
    key: str

    @property
    def index_key(self) -> str | None:
        """The key of its events; None for all."""
        return None if self.channel.whole else self.key

    def carries(self, event: Occurrence) -> bool:
        """Whether an event goes along this channel."""
        return event.name in self.channel.events and self.index_key in (None, event.key)


@dataclass(eq=False, slots=True)
class Subscription:
    """One client's subscription: to one channel, or to several that are resumed together.

    Args:
        encode: makes an event what is written to the client.
        latest: where the client asked for the latest values only.
        open: False once it has ended.
        overflown: whether more happened during a hold than is kept.
    """

    parts: tuple[Part, ...]
    outlet: Outlet
    encode: Encode = frames.message
    latest: Latest | None = None
    open: bool = True
    overflown: bool = False
    _after: int = 0
    _waiting: list[tuple[Occurrence, bytes]] | None = None
    _waiting_size: int = 0

    @property
    def name(self) -> str:
        """Of its channel, or of the first of several."""
        return self.parts[0].name

    @property
    def claims(self) -> dict[tuple[str, str | None], str]:
        """(event, key) → the channel under which it is told; an event is told once."""
        found: dict[tuple[str, str | None], str] = {}
        for part in self.parts:
            for event in part.channel.events:
                found.setdefault((event, part.index_key), part.name)
        return found

    def channel_of(self, event: Occurrence) -> str | None:
        """Return the channel under which it is told of an event: the most specific, if any."""
        carrying = [part for part in self.parts if part.carries(event)]
        return min(carrying, key=lambda part: part.channel.whole).name if carrying else None

    def hold(self) -> None:
        """Keep what happens from now on instead of sending it; drop what was kept."""
        self._waiting, self._waiting_size, self.overflown = [], 0, False

    def skip(self, reached: int) -> None:
        """Send nothing up to an offset: the log gives it."""
        self._after = reached
        self._waiting = [item for item in self._waiting or () if item[0].offset > reached]
        self._waiting_size = sum(len(frame) for _, frame in self._waiting)

    def release(self) -> None:
        """Send what was kept, and from now on everything."""
        waiting, self._waiting = self._waiting or [], None
        for event, frame in waiting:
            self.offer(event, frame)

    def offer(self, event: Occurrence, frame: bytes) -> None:
        """Send an event, or keep it."""
        if event.offset <= self._after or self.overflown:
            return
        if self._waiting is None:
            # Of several channels that carry it, only the first counts.
            self._after = event.offset
            self.give(event, frame)
            return
        self._waiting.append((event, frame))
        self._waiting_size += len(frame)
        if self._waiting_size > _MOST_WAITING:
            self._waiting, self.overflown = [], True

    def give(self, event: Occurrence, frame: bytes) -> None:
        """Send an event, or let it take the place of the one before."""
        if self.latest is None:
            self.outlet.deliver(frame)
        else:
            self.latest.put((event.name, event.key), event.offset, frame)


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
    meters: Meters = field(default_factory=Meters)
    #: Channel's name → how many subscribe to it here.
    present: Counter[str] = field(default_factory=Counter)
    _counts: Counter[str] = field(default_factory=Counter)
    # (event, key) → channel's name → its subscriptions; the key is None where any will do.
    _index: dict[tuple[str, str | None], dict[str, set[Subscription]]] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Channel, str] | None:
        """Return the channel of a name and the key in it; of several, the most specific."""
        found = [(c, key) for c in self.channels if (key := c.key_of(name)) is not None]
        return min(found, key=lambda pair: len(pair[1]), default=None)

    def stream_at(self, path: str) -> Part | None:
        """Return the channel of a plain stream; of several, the most specific.

        Args:
            path: below ``/ws/``.
        """
        found = [(c, key) for c in self.channels if (key := c.key_at(path)) is not None]
        if not found:
            return None
        channel, key = min(found, key=lambda pair: len(pair[1]))
        return Part(channel.named(key), channel, key)

    def add(self, subscription: Subscription) -> None:
        """Hand events to a subscription from now on."""
        self.meters.subscriptions += 1
        self.present.update(part.name for part in subscription.parts)
        for place, name in subscription.claims.items():
            self._index.setdefault(place, {}).setdefault(name, set()).add(subscription)
            event = place[0]
            self._counts[event] += 1
            if self._counts[event] == 1:
                self.wanted |= {event}

    def remove(self, subscription: Subscription) -> None:
        """Hand it no more."""
        self.meters.subscriptions -= 1
        self._leave(part.name for part in subscription.parts)
        for place, name in subscription.claims.items():
            named = self._index[place]
            named[name].discard(subscription)
            if not named[name]:
                del named[name]
            if not named:
                del self._index[place]
            event = place[0]
            self._counts[event] -= 1
            if not self._counts[event]:
                del self._counts[event]
                self.wanted -= {event}

    def _leave(self, names: Iterable[str]) -> None:
        for name in names:
            self.present[name] -= 1
            if not self.present[name]:
                del self.present[name]

    def dispatch(self, event: Occurrence) -> None:
        """Hand an event to whom it concerns; it is built once for each channel and kind."""
        handed = 0
        # The key first: it is the more specific channel's.
        for key in (event.key, None):
            for name, subscriptions in tuple(self._index.get((event.name, key), {}).items()):
                built: dict[Encode, bytes] = {}
                for subscription in tuple(subscriptions):
                    encode = subscription.encode
                    if encode not in built:
                        built[encode] = encode(name, event)
                    subscription.offer(event, built[encode])
                handed += len(subscriptions)
        self.position = event.offset
        self.meters.handed(event.occurred_at, handed)

    def adopt(self, assembly: Assembly) -> None:
        """Offer the channels of another Assembly; subscriptions to those gone end."""
        self.channels = assembly.channels
        for listener in tuple(self.listeners):
            listener.revise()
