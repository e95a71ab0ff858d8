"""What is under way: deliveries in memory, in the order in which they may be sent."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(slots=True)
class Parcel:
    """A delivery that is to be sent.

    Args:
        id, webhook: as 32 hexadecimal digits.
        key: within which the order is kept; None where it is not.
        tries, attempts: that were made before.
        due_at: as the database has it.
    """

    id: str
    webhook: str
    message_id: str
    event_type: str
    key: str | None
    tries: int
    attempts: int
    due_at: str = ""
    body: bytes = b""


@dataclass(slots=True)
class Result:
    """What came of an attempt.

    Args:
        status: of the answer; None when there was none.
        error: why it failed; empty when it did not.
        retry_after: seconds that the receiver asked for.
        request, response_headers, response_body: what the log keeps.
    """

    parcel: Parcel
    started_at: datetime
    milliseconds: int
    status: int | None
    error: str
    request: str
    response_headers: str = ""
    response_body: str = ""
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return not self.error

    @property
    def gone(self) -> bool:
        """Whether the receiver says that there will never be one again."""
        return self.status == 410


class Queue(Protocol):
    """Parcels of one webhook that wait to be sent."""

    def put(self, parcel: Parcel) -> None:
        """Add one."""

    def take(self) -> Parcel | None:
        """Return one that may be sent now, or None."""

    def done(self, parcel: Parcel, *, delivered: bool) -> None:
        """Say what came of one that was taken."""

    def recorded(self, parcel: Parcel) -> None:
        """Say that what came of it is written down."""

    def ids(self) -> set[str]:
        """Return the ids of those that wait."""

    def clear(self) -> None:
        """Drop those that wait."""

    @property
    def ready(self) -> int:
        """How many can be taken now."""

    def __len__(self) -> int: ...


class PlainQueue:
    """A queue without an order to keep: first come, first sent."""

    def __init__(self) -> None:
        self._waiting: deque[Parcel] = deque()

    def put(self, parcel: Parcel) -> None:
        """Add one."""
        self._waiting.append(parcel)

    def take(self) -> Parcel | None:
        """Return the next one."""
        return self._waiting.popleft() if self._waiting else None

    def done(self, parcel: Parcel, *, delivered: bool) -> None:
        """Nothing waits for it."""

    def recorded(self, parcel: Parcel) -> None:
        """Nothing waits for it."""

    def ids(self) -> set[str]:
        """Return the ids of those that wait."""
        return {parcel.id for parcel in self._waiting}

    def clear(self) -> None:
        """Drop those that wait."""
        self._waiting.clear()

    @property
    def ready(self) -> int:
        """All that wait."""
        return len(self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)


class KeyedQueue:
    """A queue in which one of a key is sent after the other, and each key for itself.

    When one fails, those behind it are dropped: the database has them, and hands them out
    once the failed one is through. Until its failure is written down, the key is shut.
    """

    def __init__(self) -> None:
        self._chains: dict[str, deque[Parcel]] = {}
        self._ready: deque[str] = deque()
        # Key → the one that failed.
        self._shut: dict[str, str] = {}
        self._length = 0

    def put(self, parcel: Parcel) -> None:
        """Add one, unless its key is shut."""
        key = parcel.key or ""
        if key in self._shut:
            return
        if key not in self._chains:
            self._chains[key] = deque()
            self._ready.append(key)
        self._chains[key].append(parcel)
        self._length += 1

    def take(self) -> Parcel | None:
        """Return the next one of a key of which none is being sent."""
        if not self._ready:
            return None
        self._length -= 1
        return self._chains[self._ready.popleft()].popleft()

    def done(self, parcel: Parcel, *, delivered: bool) -> None:
        """Let the next one of its key go, or shut the key."""
        key = parcel.key or ""
        rest = self._chains.get(key, deque())
        if delivered and rest:
            self._ready.append(key)
            return
        self._length -= len(rest)
        self._chains.pop(key, None)
        if not delivered:
            self._shut[key] = parcel.id

    def recorded(self, parcel: Parcel) -> None:
        """Open its key again, if it was shut because of this one and of none behind it."""
        if self._shut.get(parcel.key or "") == parcel.id:
            del self._shut[parcel.key or ""]

    def ids(self) -> set[str]:
        """Return the ids of those that wait."""
        return {parcel.id for chain in self._chains.values() for parcel in chain}

    def clear(self) -> None:
        """Drop those that wait; keys of which one is being sent stay busy."""
        for key in self._ready:
            del self._chains[key]
        for chain in self._chains.values():
            chain.clear()
        self._ready.clear()
        self._length = 0

    @property
    def ready(self) -> int:
        """One of each key of which none is being sent."""
        return len(self._ready)

    def __len__(self) -> int:
        return self._length
