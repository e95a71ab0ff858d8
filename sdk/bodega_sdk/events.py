"""Domain events: facts that leave an addon through the outbox, after the commit only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bodega_sdk.identity import Identity
from bodega_sdk.runtime import runtime

#: Events that a subscription can be given at a time.
LARGEST_BATCH = 10_000


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
        runtime().publish(self, [(key, data)])

    def publish_many(self, told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Append several such events, in this order, as :meth:`publish` would: by one statement.

        Args:
            told: key and data of each.

        Raises:
            BodegaError: no enabled addon declares the event.
        """
        runtime().publish(self, told)


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
        event: the event's name; ``"order.*"`` for all that begin so, ``"*"`` for all.
        handler: takes the :class:`Occurrence`; what it raises is tried again later.
        batch: occurrences that it takes at a time, at most, as a list; None for one that is
            given as it is.

    Example::

        >>> def react(event: Occurrence) -> None: ...
        >>> Subscription("order.*", react).matches("order.paid")
        True
    """

    event: str
    handler: Callable[..., None]
    batch: int | None = None

    @property
    def name(self) -> str:
        """The handler's full name: the subscription's place in the log is kept under it."""
        return f"{self.event}>{self.handler.__module__}.{self.handler.__qualname__}"

    def matches(self, event: str) -> bool:
        """Whether it is to events of a name."""
        return is_named(event, (self.event,))


def is_named(event: str, patterns: Iterable[str]) -> bool:
    """Whether an event's name is one of some names, or fits a pattern among them.

    Args:
        event: its name.
        patterns: names, ``"order.*"`` or ``"*"``.
    """
    return any(
        event.startswith(item[:-1]) if item.endswith("*") else event == item for item in patterns
    )


class Subscriptions:
    """Collects what an addon subscribes to; given to ``register_subscriptions``.

    Example::

        >>> events = Subscriptions()
        >>> events.on("order.paid", lambda event: None)
        >>> events.on_batch("order.*", lambda batch: None, size=100)
        >>> [item.event for item in events.collected]
        ['order.paid', 'order.*']
    """

    def __init__(self) -> None:
        self.collected: list[Subscription] = []

    def on(self, event: str, handler: Callable[[Occurrence], None]) -> None:
        """Call ``handler`` for each event of this name or pattern, in a worker.

        Its place in the log moves in the handler's transaction: what it writes there happens
        once for each event, what it does elsewhere at least once. The manifest names the events
        of other addons, and every pattern, in ``uses["events"]``.

        Args:
            event: a name, ``"order.*"`` or ``"*"``.
            handler: takes the :class:`Occurrence`.
        """
        self.collected.append(Subscription(event, handler))

    def on_batch(
        self, pattern: str, handler: Callable[[list[Occurrence]], None], size: int = 500
    ) -> None:
        """Call ``handler`` with the next events in order, in one transaction for all of them.

        Many events then cost a few statements. After a failure it is tried again with fewer.

        Args:
            pattern: a name, ``"order.*"`` or ``"*"``.
            handler: takes a list of at least one :class:`Occurrence`.
            size: events at a time, at most.

        Raises:
            ValueError: the size is not between 1 and 10,000.
        """
        if not 1 <= size <= LARGEST_BATCH:
            raise ValueError(f"size must be between 1 and {LARGEST_BATCH}, found {size!r}")
        self.collected.append(Subscription(pattern, handler, size))


@dataclass(frozen=True, slots=True)
class Channel:
    """A real-time stream of events: about one thing, or about all of a kind.

    Args:
        name: its pattern, e.g. ``"imports.{id}"``; the braces hold the events' key. Without
            braces, e.g. ``"pulses.stream"``, it carries its events whatever their key.
        events: names of the events that it carries.
        permission: what a subscriber must hold.
        summary: what it streams, one sentence.
        may: whether somebody who holds it may follow the thing of a key; asked when they
            subscribe, and again when what they may has changed. Everybody when None. The key
            of a channel without braces is ``""``.
        conflate: whether a subscriber may ask for the latest event of each name and key
            only, at a pace of theirs: right for values that replace one another, such as
            progress or prices, wrong for facts that add up.
        path: where it is a plain stream as well, below ``/ws/``, e.g. ``"pulses/stream/"``
            or ``"notifications/{account}/"``: with braces if the name has some. A client that
            connects there gets the data of each event and needs no protocol.

    Example::

        >>> found = Channel("awards.{id}", ("award.given",), "loyalty.read", "One award",
        ...                 path="awards/{id}/")
        >>> found.key_of("awards.7"), found.key_at("awards/7/")
        ('7', '7')
        >>> Channel("loyalty.live", ("award.given",), "loyalty.read", "All").key_of("loyalty.live")
        ''
    """

    name: str
    events: tuple[str, ...]
    permission: str
    summary: str
    may: "Callable[[Identity, str], bool] | None" = None
    conflate: bool = field(default=False, kw_only=True)
    path: str | None = field(default=None, kw_only=True)

    @property
    def whole(self) -> bool:
        """Whether it carries its events whatever their key."""
        return "{" not in self.name

    def key_of(self, requested: str) -> str | None:
        """Return the key that a requested channel names, or None when it is another one."""
        return _key_in(self.name, requested)

    def key_at(self, requested: str) -> str | None:
        """Return the key that a path names; None when its plain stream is elsewhere.

        Args:
            requested: below ``/ws/``; a slash at the end makes no difference.
        """
        if self.path is None:
            return None
        return _key_in(self.path.strip("/"), requested.strip("/"))

    def named(self, key: str) -> str:
        """Return the name under which a client subscribes to the thing of a key."""
        prefix, braces, rest = self.name.partition("{")
        return f"{prefix}{key}{rest.partition('}')[2]}" if braces else prefix


def _key_in(pattern: str, requested: str) -> str | None:
    prefix, braces, rest = pattern.partition("{")
    suffix = rest.partition("}")[2]
    if not braces:
        return "" if requested == prefix else None
    if len(requested) <= len(prefix) + len(suffix):
        return None
    if not (requested.startswith(prefix) and requested.endswith(suffix)):
        return None
    return requested[len(prefix) : len(requested) - len(suffix)]
