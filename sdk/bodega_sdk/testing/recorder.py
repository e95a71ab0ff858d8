"""What was published, read from the outbox itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bodega.database.tables import EventRow


@dataclass(frozen=True, slots=True)
class Published:
    """An event that was published.

    Args:
        name, key, data: see :class:`bodega_sdk.Event`.
    """

    name: str
    key: str
    data: dict[str, Any]


class Events:
    """The events since this recorder was made, or last forgot; they are read when asked for.

    Those of a transaction that was rolled back were never published.
    """

    def __init__(self) -> None:
        self._after = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was published until now is not listed any more."""
        newest = EventRow.select().order_by(EventRow.id.desc()).first()
        self._after = newest.id if newest else 0

    def __iter__(self) -> Iterator[Published]:
        rows = EventRow.select().where(EventRow.id > self._after).order_by(EventRow.id)
        return iter([Published(row.name, row.key, row.data) for row in rows])

    def of(self, name: str) -> list[Published]:
        """Return the events of a name, in the order they were published."""
        return [event for event in self if event.name == name]

    @property
    def names(self) -> list[str]:
        """The names of all of them, in the order they were published."""
        return [event.name for event in self]

    def __repr__(self) -> str:
        return f"<Events: {', '.join(self.names) or 'none'}>"
