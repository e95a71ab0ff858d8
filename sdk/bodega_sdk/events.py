"""Domain events: facts that leave an addon through the outbox, after the commit only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bodega_sdk.identity import Identity
from bodega_sdk.runtime import runtime


@dataclass(frozen=True, slots=True)
class Event:
    """The declaration of an event.

    Args:
        name: ``"noun.past_participle"``, e.g. ``"order.paid"``.
        summary: when it happens, one sentence.
        fields: member of the data → its type and meaning.
        version: raised when a member changes its meaning or goes.

    Example::

        >>> awarded = Event("loyalty.awarded", "Points were given.", {"points": "how many"})
        >>> with transaction():
        ...     awarded.publish(str(order_id), {"points": 3})
    """

    name: str
    summary: str
    fields: Mapping[str, str]
    version: int = 1

    def publish(self, key: str, data: Mapping[str, Any]) -> None:
        """Append the event to the outbox, in the transaction that is open.

        Args:
            key: what it is about, e.g. the order's id; events of one key keep their order.
                Hold the row (or a lock) of that thing before publishing.
            data: JSON-serialisable.

        Raises:
            BodegaError: no enabled addon declares the event.
        """
        runtime().publish(self, key, data)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event that happened, as its readers see it.

    Args:
        offset: its place in the shop's log, dense and in order of commit.
        name, version, key, data: see :class:`Event`.
        occurred_at: when it was published, UTC.

    Example::

        >>> def react(event: Occurrence) -> None:
        ...     print(event.offset, event.name, event.data["points"])
        >>> react(Occurrence(8, "loyalty.awarded", 1, "o-1", {"points": 3}, now()))
        8 loyalty.awarded 3
    """

    offset: int
    name: str
    version: int
    key: str
    data: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """A function that is called once for each occurrence, in order, in a transaction.

    Args:
        event: the event's name.
        handler: takes the :class:`Occurrence`; what it raises is tried again later.

    Example::

        >>> def react(event: Occurrence) -> None: ...
        >>> Subscription("order.paid", react).event
        'order.paid'
    """

    event: str
    handler: Callable[[Occurrence], None]

    @property
    def name(self) -> str:
        """The handler's full name: the subscription's place in the log is kept under it."""
        return f"{self.event}>{self.handler.__module__}.{self.handler.__qualname__}"


class Subscriptions:
    """Collects what an addon subscribes to; given to ``register_subscriptions``.

    Example::

        >>> events = Subscriptions()
        >>> events.on("order.paid", lambda event: None)
        >>> [item.event for item in events.collected]
        ['order.paid']
    """

    def __init__(self) -> None:
        self.collected: list[Subscription] = []

    def on(self, event: str, handler: Callable[[Occurrence], None]) -> None:
        """Call ``handler`` for each event of this name, in a worker, at least once.

        The manifest names those of other addons in ``uses["events"]``.
        """
        self.collected.append(Subscription(event, handler))


@dataclass(frozen=True, slots=True)
class Channel:
    """A real-time stream of events about one thing.

    Args:
        name: its pattern, e.g. ``"imports.{id}"``; the braces hold the events' key.
        events: names of the events that it carries.
        permission: what a subscriber must hold.
        summary: what it streams, one sentence.
        may: whether somebody who holds it may follow the thing of a key; asked when they
            subscribe, and again when what they may has changed. Everybody when None.

    Example::

        >>> found = Channel("awards.{id}", ("award.given",), "loyalty.read", "One award")
        >>> found.key_of("awards.7")
        '7'
    """

    name: str
    events: tuple[str, ...]
    permission: str
    summary: str
    may: "Callable[[Identity, str], bool] | None" = None

    def key_of(self, requested: str) -> str | None:
        """Return the key that a requested channel names, or None when it is another one."""
        prefix, _, rest = self.name.partition("{")
        suffix = rest.partition("}")[2]
        if len(requested) <= len(prefix) + len(suffix):
            return None
        if not (requested.startswith(prefix) and requested.endswith(suffix)):
            return None
        return requested[len(prefix) : len(requested) - len(suffix)]
