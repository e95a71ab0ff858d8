"""Compares rollups with what they were made of."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from bodega_pulses import horizon, rolling
from bodega_pulses.instants import DAY, HOUR, MINUTE, shown
from bodega_pulses.models import Series
from bodega_pulses.rolling import Sums
from bodega_sdk import transaction

_SMALLER = {HOUR: MINUTE, DAY: HOUR}
_NAMES = {MINUTE: "minute", HOUR: "hour", DAY: "day"}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A bucket that is not what it was made of."""

    number: int
    size: int
    at: int

    def __str__(self) -> str:
        name = _NAMES[self.size]
        return f"series {self.number}: the {name} {shown(self.at)} is not what it was made of"


def check() -> Iterator[Disagreement]:
    """Settle, then yield the buckets whose numbers are others than those they come from.

    Minutes are compared with points as far as these are kept, hours with minutes, days with
    hours.
    """
    rolling.settle()
    kept = horizon.gone_before()
    for (number,) in list(Series.select(Series.number).order_by(Series.number).tuples()):
        minutes = rolling.minutes_of(number, kept, _FAR)
        yield from _differing(number, MINUTE, minutes, kept)
        for large, small in _SMALLER.items():
            parts = rolling.read(number, small, 0, _FAR)
            yield from _differing(number, large, _merged(parts, large), 0)


_FAR = 1 << 62


def _merged(parts: list[Sums], size: int) -> list[Sums]:
    return [
        rolling.merged(start * size, list(some))
        for start, some in groupby(parts, lambda one: one.at // size)
    ]


def _differing(number: int, size: int, made: list[Sums], first: int) -> Iterator[Disagreement]:
    stored = {one.at: one for one in rolling.read(number, size, first, _FAR)}
    expected = {one.at: one for one in made}
    for at in sorted(stored.keys() | expected.keys()):
        if not _alike(stored.get(at), expected.get(at)):
            yield Disagreement(number, size, at)


def _alike(one: Sums | None, other: Sums | None) -> bool:
    if one is None or other is None:
        return False
    close = math.isclose(one.sum, other.sum, rel_tol=1e-9, abs_tol=1e-9)
    return close and all(
        getattr(one, name) == getattr(other, name)
        for name in ("count", "min", "max", "last", "last_at", "sketch")
    )


def repair(found: list[Disagreement]) -> None:
    """Make anew the minutes that buckets are about, and what is above them."""
    with transaction():
        for one in found:
            rolling.mark({one.number: range(one.at // MINUTE, (one.at + one.size) // MINUTE)})
    rolling.settle()
