"""Points that were sent, by columns, how they are read, and how their faults are named."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bodega_sdk.errors import FieldError, InvalidInput

#: Product (id or SKU), unit and source, as they were sent.
Head = tuple[str, str, str]
UNIT, SOURCE = 50, 100
#: Faults of one request that are listed.
MOST_ERRORS = 50
#: Bytes of a piece at least: some hundreds of points.
PIECE = 1 << 15


def numbered(place: int, name: str) -> str:
    """Return how errors name a member of a point of a list."""
    return f"points.{place}.{name}"


@dataclass(slots=True)
class Batch:
    """Points by columns.

    Args:
        heads: what the points belong to, each once.
        of: for each point, the place of its head.
        at: microseconds.
        values: finite.
        named: takes the place of a point and a member; returns the field that errors name.
        span: the first and the last time, where whoever read them knows; found otherwise.
    """

    heads: Sequence[Head]
    of: Sequence[int]
    at: Sequence[int]
    values: Sequence[float]
    named: Callable[[int, str], str] = field(default=numbered)
    span: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.at and self.span == (0, 0):
            self.span = min(self.at), max(self.at)

    def places_of(self, head: int) -> Iterator[int]:
        """Yield the places of the points of a head."""
        return (place for place, one in enumerate(self.of) if one == head)


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write points down.

    Args:
        read: reads a body; raises a :class:`Problem`.
        cut: returns pieces of a body, each of which can be read as a body; only those of
            bodies that are as plain as can be are sure to hold the same points.
        knowing: takes heads; returns what reads pieces of points of these, which may refuse
            pieces with others. Where there is none, ``read`` is not slower.
    """

    read: Callable[[bytes], Batch]
    cut: Callable[[bytes], list[bytes]]
    knowing: Callable[[Sequence[Head]], Callable[[bytes], Batch]] | None = None

    def reader(self, heads: Sequence[Head]) -> Callable[[bytes], Batch]:
        """Return what reads pieces of points of some heads best."""
        return self.knowing(heads) if self.knowing else self.read


def size_of(before: Sequence[bytes]) -> int:
    """Return the least bytes of the next piece: nothing begins before the first one is read."""
    return PIECE if before else PIECE // 2


def cut_lines(body: bytes) -> list[bytes]:
    """Cut a body at the ends of lines."""
    pieces: list[bytes] = []
    begin, body = 0, body.strip()
    while (end := body.find(b"\n", begin + size_of(pieces))) >= 0:
        pieces.append(body[begin:end])
        begin = end + 1
    return [*pieces, body[begin:]]


def refused(errors: Sequence[FieldError]) -> InvalidInput:
    """Return the error of a batch; nothing of it has been stored."""
    more = f" and {len(errors) - 3} more" if errors[3:] else ""
    named = ", ".join(f"'{one.field}'" for one in errors[:3])
    return InvalidInput(
        f"Nothing of the batch was stored: {named}{more} cannot be taken.", errors[:MOST_ERRORS]
    )


def head_fault(head: Head) -> tuple[str, str, object] | None:
    """Return which member of a head is wrong, why, and what was found."""
    bounds = (("product", 100, 1), ("unit", UNIT, 0), ("source", SOURCE, 0))
    for (name, most, least), text in zip(bounds, head, strict=True):
        if not isinstance(text, str):
            return name, "Expected text.", text
        if not least <= len(text) <= most:
            return name, f"Must be {least} to {most} characters long.", text
        if not text.isprintable():
            return name, "Control characters are not allowed.", text
    return None
