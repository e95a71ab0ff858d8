"""Writes points: by COPY into the table itself where nothing can be there, else beside it.

What is measured is appended nearly always. Whether a series has anything between the first
and the last of the points to come is one look at the index for each series; when none has,
the rows are copied straight in, portion by portion: while the database takes one, the next is
made ready. Otherwise they go to a table of the transaction's own, are compared, and only what
differs is written.

Call these in a transaction, with the series held: then nobody else writes points of them.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby, islice, repeat
from operator import eq, gt, or_
from typing import Any

import peewee

from bodega_pulses import binary_copy
from bodega_pulses.models import Point
from bodega_pulses.partitions import partitioned
from bodega_sdk import database

_STAGED = "pulses_point_staged"
#: Points that are made ready at a time: few enough for the processor's nearest cache.
_PORTION = 500
_MOST_BYTES = 1 << 20
#: Bits of a time, which are fewer until the year 38500.
_BITS = 60
_LOW = (1 << _BITS) - 1


@dataclass(frozen=True, slots=True)
class Run:
    """Where the points of a series are among all: from a place to before another."""

    series: int
    first: int
    behind: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Points of one or more series, by series and time, each time once."""

    runs: Sequence[Run]
    at: Sequence[int]
    values: Sequence[float]

    def series(self) -> Iterator[int]:
        """Yield the series of each point."""
        return chain.from_iterable(repeat(one.series, one.behind - one.first) for one in self.runs)

    def only(self, places: Sequence[int]) -> "Columns":
        """Return some of the points, at these places, in order."""
        series = list(self.series())
        runs, begin = [], 0
        for number, some in groupby(series[place] for place in places):
            runs.append(Run(number, begin, begin := begin + sum(1 for _ in some)))
        return Columns(runs, [self.at[one] for one in places], [self.values[one] for one in places])


def columns(
    numbers: Sequence[int], of: Iterable[int], at: Iterable[int], values: Iterable[float]
) -> Columns:
    """Return points by series and time; of two of one time, the later one.

    Args:
        numbers: of series.
        of, at, values: of each point: the place of its number, its time, its value.
    """
    # One number for both is sorted in half the time that a pair takes.
    high = [number << _BITS for number in numbers]
    keys = list(map(or_, map(high.__getitem__, of), at))
    once = dict(zip(keys, values, strict=True))
    ordered = sorted(once)
    runs, begin = [], 0
    while begin < len(ordered):
        number = ordered[begin] >> _BITS
        behind = bisect_left(ordered, (number + 1) << _BITS, begin)
        runs.append(Run(number, begin, behind))
        begin = behind
    return Columns(runs, [key & _LOW for key in ordered], list(map(once.__getitem__, ordered)))


@dataclass(frozen=True, slots=True)
class Written:
    """What became of points: how many were new, and how many differed."""

    created: int
    changed: int


def write(
    numbers: Sequence[int],
    of: Sequence[int],
    at: Sequence[int],
    values: Sequence[float],
    new: bool,
    note: Callable[[Columns], None],
) -> Written:
    """Write points; the same again changes nothing, another value takes the place.

    Args:
        numbers, of, at, values: see :func:`columns`; one point at least.
        new: whether none of the series has a point between the first time and the last.
        note: is called with the points that are new or differ, some at a time.
    """
    if new:
        return append(portions(numbers, of, at, values), note)
    rows = columns(numbers, of, at, values)
    with _staged(rows):
        created, changed = _compare()
        if created or changed:
            _merge()
    note(rows.only(sorted((*created, *changed))))
    return Written(len(created), len(changed))


def portions(
    numbers: Sequence[int], of: Sequence[int], at: Sequence[int], values: Sequence[float]
) -> Iterator[Columns]:
    """Yield points some at a time, see :func:`columns`: no two portions have a time in common."""
    if any(map(gt, at, islice(at, 1, None))):
        yield columns(numbers, of, at, values)
        return
    begin = 0
    while begin < len(at):
        end = bisect_right(at, at[min(begin + _PORTION, len(at)) - 1])
        some = numbers, of[begin:end], at[begin:end], values[begin:end]
        yield _gathered(*some) or columns(*some)
        begin = end


def _gathered(
    numbers: Sequence[int], of: Sequence[int], at: Sequence[int], values: Sequence[float]
) -> Columns | None:
    """Return points that are in order of time, as :func:`columns` would in twice the time.

    None where two of a series may be of one time, or two of the numbers are one.
    """
    if len(set(numbers)) < len(numbers):
        return None
    # Sorting leaves what is of one series in its order.
    places = sorted(range(len(of)), key=of.__getitem__)
    at = list(map(at.__getitem__, places))
    if any(map(eq, at, islice(at, 1, None))):
        return None
    runs, begin = [], 0
    for one, count in sorted(Counter(of).items()):
        runs.append(Run(numbers[one], begin, begin := begin + count))
    return Columns(runs, at, list(map(values.__getitem__, places)))


def append(some: Iterable[Columns], note: Callable[[Columns], None]) -> Written:
    """Write points that are new, in portions; each is made ready while the one before is written.

    Args:
        note: is called with each portion.
    """
    count = 0

    def noted() -> Iterator[Columns]:
        nonlocal count
        for rows in some:
            yield rows
            # The database has it now, and is longer about it than we are.
            count += len(rows.at)
            note(rows)

    _put(Point._meta.table_name, noted())
    return Written(count, 0)


def _put(table: str, portions: Iterable[Columns]) -> None:
    cursor: Any = database.obj.cursor()
    with peewee.__exception_wrapper__:
        if partitioned():
            sql = f"COPY {table} (series, at, value) FROM STDIN (FORMAT binary)"
            cursor.copy_expert(sql, _Stream(portions), _MOST_BYTES)
        else:
            together = (
                row for rows in portions
                for row in zip(rows.series(), rows.at, rows.values, strict=True)
            )  # fmt: skip
            sql = f"INSERT INTO {table} (series, at, value) VALUES (?, ?, ?)"
            cursor.executemany(sql, together)


class _Stream:
    """Rows as COPY reads them in its binary format: a file that is made while it is read."""

    def __init__(self, portions: Iterable[Columns]) -> None:
        self._pieces = self._packed(portions)

    def read(self, size: int) -> bytes:
        """Return the next piece, which is never as large as we say; nothing at the end."""
        return next(self._pieces, b"")

    @staticmethod
    def _packed(portions: Iterable[Columns]) -> Iterator[bytes]:
        yield binary_copy.HEADER
        for rows in portions:
            series = rows.series()
            for place in range(0, len(rows.at), _PORTION):
                at = rows.at[place : place + _PORTION]
                taken = list(islice(series, len(at))), at, rows.values[place : place + _PORTION]
                yield binary_copy.packed("iqd", taken)
        yield binary_copy.END


@contextmanager
def _staged(rows: Columns) -> Iterator[None]:
    gone = " ON COMMIT DROP" if partitioned() else ""
    database.execute_sql(
        f"CREATE TEMP TABLE {_STAGED}{gone} AS SELECT series, at, value FROM pulses_point "
        "WHERE 1 = 0"
    )
    _put(_STAGED, (rows,))
    yield
    database.execute_sql(f"DROP TABLE {_STAGED}")


def _compare() -> tuple[list[int], list[int]]:
    """Return the places of points that are new, and of those that differ."""
    # One look at the index for each row, whatever the planner thinks of a table that it has
    # never seen.
    query = (
        f"SELECT s.value, (SELECT p.value FROM pulses_point AS p WHERE p.series = s.series "
        f"AND p.at = s.at) FROM {_STAGED} AS s ORDER BY s.series, s.at"
    )
    found = database.execute_sql(query).fetchall()
    created = [place for place, (_, old) in enumerate(found) if old is None]
    changed = [
        place for place, (new, old) in enumerate(found) if old is not None and old != new
    ]  # fmt: skip
    return created, changed


def _merge() -> None:
    database.execute_sql(
        f"INSERT INTO pulses_point (series, at, value) SELECT series, at, value FROM {_STAGED} "
        "WHERE true ORDER BY series, at ON CONFLICT (series, at) DO UPDATE SET "
        "value = excluded.value WHERE pulses_point.value <> excluded.value"
    )
