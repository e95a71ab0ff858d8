"""Rollups: minutes are made anew from points, hours from minutes, days from hours.

Whoever writes points leaves marks: minutes of a series whose rollups are behind. To settle
them is to make those minutes anew from all their points, and what is above them; so it makes
no difference in which order points came, how often, or how late. A service settles within a
second, and whoever reads rollups settles first what they read: rollups that are shown are
never behind.

Of two who settle one series the second waits for the first, and reads what it wrote. Whoever
writes points waits for neither: a point that a settling does not see yet has a mark that it
does not see either, which stays. Points are deleted only behind the horizon, before which
nobody writes any more and whose marks are settled; a rollup is never made of a part of its
points.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import Any

import peewee

from bodega_pulses import binary_copy, sketches
from bodega_pulses.instants import DAY, HOUR, MINUTE, SECOND
from bodega_pulses.models import Mark, Point, Rollup, Series
from bodega_pulses.partitions import partitioned
from bodega_sdk import database, now, transaction
from bodega_sdk.bulk import among, staged

#: Stands for the settling of series among PostgreSQL's advisory locks, before their numbers.
_LOCK = 1886743668
#: Minutes without points that two marks of one series may have between them and be one.
GAP = 10 * MINUTE
#: What one mark is of at most, and what is read of points at once.
_SPAN = 6 * HOUR
#: Series and marks that are settled in one transaction.
_SERIES, _MARKS = 100, 500
_COLUMNS = ("series", "size", "at", "count", "sum", "min", "max", "last", "last_at", "sketch")


@dataclass(frozen=True, slots=True)
class Sums:
    """What some points come to; ``at`` is where their bucket begins."""

    at: int
    count: int
    sum: float
    min: float
    max: float
    last: float
    last_at: int
    sketch: str


def minutes_of_times(at: Sequence[int]) -> Iterator[int]:
    """Yield the minutes that times are in, which are in order; as :func:`mark` takes them."""
    place = 0
    while place < len(at):
        minute = at[place] // MINUTE
        yield minute
        place = bisect_left(at, (minute + 1) * MINUTE, place)


def mark(minutes: Mapping[int, Iterable[int]]) -> None:
    """Write down that minutes of series are behind, in the transaction that writes points.

    Args:
        minutes: number of a series → minutes since 1970.
    """
    rows: list[tuple[int, int, int]] = []
    for number, some in minutes.items():
        begin, behind = None, 0
        for minute in sorted(some):
            at = minute * MINUTE
            if begin is None or at - behind > GAP or at - begin >= _SPAN:
                begin = at
                rows.append((number, at, at + MINUTE))
            behind = at + MINUTE
            rows[-1] = (number, begin, behind)
    for place in range(0, len(rows), 500):
        part = rows[place : place + 500]
        marks = ", ".join([f"({', '.join([database.obj.param] * 3)})"] * len(part))
        # Not by the query builder, which takes longer than the database.
        database.execute_sql(
            f"INSERT INTO {Mark._meta.table_name} (series, first, behind) VALUES {marks}",
            [value for row in part for value in row],
        )


def settle(numbers: Iterable[int] | None = None, before: int | None = None) -> int:
    """Bring rollups up to date; return how many marks were settled.

    Args:
        numbers: only of these series.
        before: only what is before a time.
    """
    condition: Any = peewee.SQL("1 = 1") if before is None else Mark.first < before
    if numbers is not None:
        condition &= among(Mark.series, list(numbers))
    return _settle_all(condition)


def settle_present() -> None:
    """Bring up to date what is behind now, not what comes to be so meanwhile."""
    _settle_all(Mark.id <= (Mark.select(peewee.fn.MAX(Mark.id)).scalar() or 0))


def _settle_all(condition: Any) -> int:
    done = 0
    while waiting := _waiting(condition):
        done += _settle(waiting, condition)
    return done


def _waiting(condition: Any) -> list[int]:
    query = Mark.select(Mark.series).where(condition).distinct().order_by(Mark.series)
    return [number for (number,) in query.limit(_SERIES).tuples()]


def hold(numbers: Iterable[int]) -> None:
    """Keep others from settling series until the commit, in one order."""
    if partitioned():
        query = f"SELECT pg_advisory_xact_lock({_LOCK}, number) FROM unnest(%s::int[]) AS number"
        database.execute_sql(query, (sorted(numbers),)).fetchall()
    # On SQLite a transaction has the one lock that there is.


def _settle(numbers: list[int], condition: Any) -> int:
    with transaction():
        hold(numbers)
        # Read behind the lock: what another has settled meanwhile is gone by now.
        query = Mark.select().where(condition & among(Mark.series, numbers))
        marks = list(query.order_by(Mark.series, Mark.first).limit(_MARKS))
        minutes = {
            number: _minutes(number, [(one.first, one.behind) for one in own])
            for number, own in groupby(marks, lambda one: one.series)
        }
        _write(MINUTE, minutes)
        _write(HOUR, {number: _larger(number, MINUTE, HOUR, minutes[number]) for number in minutes})
        _write(DAY, {number: _larger(number, HOUR, DAY, minutes[number]) for number in minutes})
        Mark.delete().where(among(Mark.id, [one.id for one in marks])).execute()
        # Last, and in one order: those who write points wait for these rows.
        for number, found in minutes.items():
            if found:
                _tell_series(number, found)
    return len(marks)


def _minutes(number: int, ranges: list[tuple[int, int]]) -> list[Sums]:
    """Return what the points come to in the minutes of ranges, which lie in order."""
    return [
        one
        for begin, end in _joined(ranges)
        for first in range(begin, end, _SPAN)
        for one in minutes_of(number, first, min(first + _SPAN, end))
    ]


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges, in order of their beginnings, with those that touch put together."""
    found: list[tuple[int, int]] = []
    for first, behind in ranges:
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], behind))
        else:
            found.append((first, behind))
    return found


def minutes_of(number: int, first: int, behind: int) -> list[Sums]:
    """Return what the points of a series come to in each minute of a range."""
    times, values = _points(number, first, behind)
    classes = sketches.classes(values) if values else []
    found, place = [], 0
    while place < len(times):
        at = times[place] // MINUTE * MINUTE
        end = bisect_left(times, at + MINUTE, place)
        some, sketch = values[place:end], sketches.stored(Counter(classes[place:end]))
        found.append(
            Sums(at, len(some), math.fsum(some), min(some), max(some), some[-1], times[end - 1],
                 sketch)
        )  # fmt: skip
        place = end
    return found


def _points(number: int, first: int, behind: int) -> tuple[Sequence[int], Sequence[float]]:
    """Return times and values of the points of a range, in order of time."""
    query = (
        f"SELECT at, value FROM {Point._meta.table_name} WHERE series = {int(number)} "
        f"AND at >= {int(first)} AND at < {int(behind)} ORDER BY at"
    )
    if not partitioned():
        rows = database.execute_sql(query).fetchall()
        return [at for at, _ in rows], [value for _, value in rows]
    taken = BytesIO()
    with peewee.__exception_wrapper__:
        database.obj.cursor().copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", taken)
    at, values = binary_copy.unpacked("qd", taken.getvalue())
    return at, values


def merged(at: int, parts: Sequence[Sums]) -> Sums:
    """Return what the points of several buckets come to together; in order of time."""
    sketch = sketches.stored(sketches.merged(one.sketch for one in parts))
    newest = parts[-1]
    return Sums(
        at, sum(one.count for one in parts), math.fsum(one.sum for one in parts),
        min(one.min for one in parts), max(one.max for one in parts),
        newest.last, newest.last_at, sketch,
    )  # fmt: skip


def _larger(number: int, small: int, large: int, minutes: list[Sums]) -> list[Sums]:
    """Return the larger buckets that some minutes fall into, made of the smaller ones."""
    starts = sorted({one.at // large * large for one in minutes})
    return [
        merged(start * large, list(some))
        for first, behind in _joined([(at, at + large) for at in starts])
        for start, some in groupby(read(number, small, first, behind), lambda one: one.at // large)
    ]


def read(number: int, size: int, first: int, behind: int) -> list[Sums]:
    """Return the rollups of a series that begin in a range, in order of time.

    Args:
        size: microseconds.
    """
    mark_ = database.obj.param
    rows = database.execute_sql(
        f"SELECT at, count, sum, min, max, last, last_at, sketch FROM {Rollup._meta.table_name} "
        f"WHERE series = {mark_} AND size = {mark_} AND at >= {mark_} AND at < {mark_} "
        "ORDER BY at",
        (number, size // SECOND, first, behind),
    ).fetchall()
    return [Sums(*row) for row in rows]


def newest(number: int, size: int, behind: int) -> Sums | None:
    """Return the last rollup of a series before a time."""
    mine = (Rollup.series == number) & (Rollup.size == size // SECOND) & (Rollup.at < behind)
    found = Rollup.select(Rollup.at).where(mine).order_by(Rollup.at.desc()).limit(1).scalar()
    return None if found is None else read(number, size, found, found + 1)[0]


def _write(size: int, of_series: Mapping[int, list[Sums]]) -> None:
    if not any(of_series.values()):
        return
    rows = (
        (number, size // SECOND, one.at, one.count, one.sum, one.min, one.max, one.last,
         one.last_at, one.sketch)
        for number, sums in of_series.items()
        for one in sums
    )  # fmt: skip
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS[3:])
    with staged(Rollup, _COLUMNS, rows) as table:
        database.execute_sql(
            f"INSERT INTO {Rollup._meta.table_name} ({names}) SELECT {names} FROM {table} "
            f'WHERE true ON CONFLICT ("series", "size", "at") DO UPDATE SET {changes}'
        )


def _tell_series(number: int, minutes: list[Sums]) -> None:
    """Write down of a series when its points begin, and its newest one."""
    first, last = min(one.at for one in minutes), max(minutes, key=lambda one: one.last_at)
    begins = _points(number, first, first + MINUTE)[0][0]
    mine = Series.number == number
    Series.update(first_at=begins).where(
        mine & (Series.first_at.is_null() | (Series.first_at > begins))
    ).execute()
    Series.update(last_at=last.last_at, last_value=last.last, updated_at=now()).where(
        mine & (Series.last_at.is_null() | (Series.last_at <= last.last_at))
    ).execute()
