"""Rollups: minutes are made anew from points, hours from minutes, days from hours.

Whoever writes points leaves marks: minutes of a series whose rollups are behind. To settle
them is to make those minutes anew from all their points, and what is above them; so it makes
no difference in which order points came, how often, or how late. A service settles within a
second, and whoever reads rollups settles first what they read: rollups that are shown are
never behind.

The rows of the series are held meanwhile, so that of two who settle one, the second reads
what the first wrote. Points are deleted only behind the horizon, before which nobody writes
any more and whose marks are settled; a rollup is never made of a part of its points.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import peewee

from bodega_pulses import sketches
from bodega_pulses.instants import DAY, HOUR, MINUTE, SECOND
from bodega_pulses.models import Mark, Point, Rollup, Series
from bodega_sdk import database, locked, now, transaction
from bodega_sdk.bulk import among, staged

#: Minutes without points that two marks of one series may have between them and be one.
_GAP = 10 * MINUTE
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


def mark(series: Sequence[int], at: Sequence[int]) -> None:
    """Write down that minutes of series are behind, in the transaction that writes points.

    Args:
        series, at: of each point.
    """
    minutes = sorted(set(zip(series, [time // MINUTE for time in at], strict=True)))
    rows: list[tuple[int, int, int]] = []
    for one, number in minutes:
        minute = number * MINUTE
        if rows and rows[-1][0] == one and minute - rows[-1][2] <= _GAP:
            rows[-1] = (one, rows[-1][1], minute + MINUTE)
        else:
            rows.append((one, minute, minute + MINUTE))
    for begin in range(0, len(rows), 500):
        Mark.insert_many(
            rows[begin : begin + 500], [Mark.series, Mark.first, Mark.behind]
        ).execute()


def settle(numbers: Iterable[int] | None = None, before: int | None = None) -> int:
    """Bring rollups up to date; return how many marks were settled.

    Args:
        numbers: only of these series.
        before: only what is before a time.
    """
    condition: Any = peewee.SQL("1 = 1") if before is None else Mark.first < before
    if numbers is not None:
        condition &= among(Mark.series, list(numbers))
    done = 0
    while waiting := _waiting(condition):
        done += _settle(waiting, condition)
    return done


def _waiting(condition: Any) -> list[int]:
    query = Mark.select(Mark.series).where(condition).distinct().order_by(Mark.series)
    return [number for (number,) in query.limit(_SERIES).tuples()]


def _settle(numbers: list[int], condition: Any) -> int:
    with transaction():
        query = Series.select(Series.number).where(among(Series.number, numbers))
        list(locked(query.order_by(Series.number)).tuples())
        # Read behind the lock: what another has settled meanwhile is gone by now.
        query = Mark.select().where(condition & among(Mark.series, numbers))
        marks = list(query.order_by(Mark.series, Mark.first).limit(_MARKS))
        for number, own in groupby(marks, lambda one: one.series):
            _make_anew(number, [(one.first, one.behind) for one in own])
        Mark.delete().where(among(Mark.id, [one.id for one in marks])).execute()
    return len(marks)


def _make_anew(number: int, ranges: list[tuple[int, int]]) -> None:
    """Make anew the minutes of ranges, the hours and days that they are in, and the newest."""
    minutes = [
        one for first, behind in _joined(ranges) for one in minutes_of(number, first, behind)
    ]
    _write(number, MINUTE, minutes)
    _refresh(number, MINUTE, HOUR, [one.at for one in minutes])
    _refresh(number, HOUR, DAY, [one.at for one in minutes])
    if minutes:
        _tell_series(number, minutes)


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
    points = _points(number, first, behind)
    return [
        _of_points(minute * MINUTE, list(some))
        for minute, some in groupby(points, lambda one: one[0] // MINUTE)
    ]


def _points(number: int, first: int, behind: int) -> list[tuple[int, float]]:
    mark_ = database.obj.param
    found: list[tuple[int, float]] = database.execute_sql(
        f"SELECT at, value FROM {Point._meta.table_name} "
        f"WHERE series = {mark_} AND at >= {mark_} AND at < {mark_} ORDER BY at",
        (number, first, behind),
    ).fetchall()
    return found


def _of_points(at: int, points: list[tuple[int, float]]) -> Sums:
    values = [value for _, value in points]
    sketch = sketches.stored(sketches.sketch_of(values))
    last_at, last = points[-1]
    return Sums(
        at, len(values), math.fsum(values), min(values), max(values), last, last_at, sketch
    )  # fmt: skip


def merged(at: int, parts: Sequence[Sums]) -> Sums:
    """Return what the points of several buckets come to together; in order of time."""
    sketch = sketches.stored(sketches.merged(one.sketch for one in parts))
    newest = parts[-1]
    return Sums(
        at, sum(one.count for one in parts), math.fsum(one.sum for one in parts),
        min(one.min for one in parts), max(one.max for one in parts),
        newest.last, newest.last_at, sketch,
    )  # fmt: skip


def _refresh(number: int, small: int, large: int, times: list[int]) -> None:
    """Make anew the larger buckets that some times fall into from the smaller ones."""
    starts = sorted({at // large * large for at in times})
    found = [
        merged(start * large, list(some))
        for first, behind in _joined([(at, at + large) for at in starts])
        for start, some in groupby(read(number, small, first, behind), lambda one: one.at // large)
    ]
    _write(number, large, found)


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


def _write(number: int, size: int, sums: list[Sums]) -> None:
    if not sums:
        return
    rows = (
        (number, size // SECOND, one.at, one.count, one.sum, one.min, one.max, one.last,
         one.last_at, one.sketch)
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
