"""The log: every event that happened and was committed, under dense offsets, to be read."""

from collections.abc import Iterable

from bodega_sdk.events import Event, Occurrence
from bodega_sdk.runtime import runtime


def read_log(
    after: int, limit: int = 200, names: Iterable[str] = (), until: int | None = None
) -> list[Occurrence]:
    """Return the next events of the log, in order.

    The log is pruned: what is older than the operator keeps is not there any more.

    Args:
        after: the offset to go on behind; 0 for the oldest that is there.
        limit: events at most.
        names: only events of these names or patterns (``"order.*"``); all of them when empty.
        until: only events up to this offset; up to the newest when None.

    Raises:
        CapabilityError: the manifest of the calling addon does not name them in
            ``uses["events"]``; for all events it must say ``"*"``.

    Example::

        >>> start = newest_offset()
        >>> with transaction():
        ...     awarded.publish("o-1", {"points": 3})
        >>> [event.key for event in read_log(start, names=["loyalty.*"])]
        ['o-1']
    """
    return runtime().read_log(after, limit, tuple(names), until)


def newest_offset() -> int:
    """Return the offset of the newest event that can be read; 0 when nothing has happened.

    Example::

        >>> newest_offset() >= 0
        True
    """
    return runtime().newest_offset()


def event_types() -> tuple[Event, ...]:
    """Return every event that an enabled addon declares, by name.

    Example::

        >>> "loyalty.awarded" in [event.name for event in event_types()]
        True
    """
    return runtime().event_types()
