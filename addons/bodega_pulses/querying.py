"""Reading points and rollups of a product, page by page."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bodega_pulses import instants, rolling, sketches
from bodega_pulses.instants import DAY, HOUR, MINUTE, SECOND, SIZES, shown
from bodega_pulses.models import Point, Series
from bodega_pulses.rolling import Sums
from bodega_sdk import database

RESOLUTIONS = ("raw", *SIZES)
AGGREGATES = ("min", "max", "avg", "sum", "count", "last", "p95")
#: What stands where there are no points: nothing, null, 0, or what was there before.
FILLS = ("none", "null", "zero", "previous")
#: Series that one question is about at most; rows of one page.
MOST_SERIES, LARGEST_PAGE = 100, 5000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    Args:
        series: that it is about.
        first, behind: the range: what begins in it; microseconds.
        resolution: one of :data:`RESOLUTIONS`.
        aggregates: some of :data:`AGGREGATES`.
        fill: one of :data:`FILLS`.
        zone: whose days ``1d`` are; UTC when None.
        after: place behind which the page begins: the time and number of a series.
        limit: rows at most.
    """

    series: Sequence[Series]
    first: int
    behind: int
    resolution: str
    aggregates: Sequence[str]
    fill: str
    zone: ZoneInfo | None
    after: tuple[int, int]
    limit: int


def series_of(product: UUID | None, unit: str | None, source: str | None) -> list[Series]:
    """Return series: of a product, a unit, a source, or all; one more than may be asked about."""
    query = Series.select()
    if product is not None:
        query = query.where(Series.product == product)
    if unit is not None:
        query = query.where(Series.unit == unit)
    if source is not None:
        query = query.where(Series.source == source)
    return list(query.order_by(Series.number).limit(MOST_SERIES + 1))


def answer(question: Question) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """Return a page of rows by time, and the place behind which the next begins, if any."""
    if not question.series or question.first >= question.behind:
        return [], None
    if question.resolution == "raw":
        return _raw(question)
    rolling.settle([one.number for one in question.series])
    return _rolled(question)


def _raw(question: Question) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    mark = database.obj.param
    known = {one.number: one for one in question.series}
    numbers = ", ".join(str(int(number)) for number in known)
    rows = database.execute_sql(
        f"SELECT series, at, value FROM {Point._meta.table_name} WHERE series IN ({numbers}) "
        f"AND at >= {mark} AND at < {mark} AND (at > {mark} OR series > {mark}) "
        f"ORDER BY at, series LIMIT {question.limit + 1}",
        (max(question.first, question.after[0]), question.behind, *question.after),
    ).fetchall()
    page = rows[: question.limit]
    further = (page[-1][1], page[-1][0]) if len(rows) > len(page) else None
    return [
        {"timestamp": shown(at), **_named(known[number]), "value": value}
        for number, at, value in page
    ], further


def _named(series: Series) -> dict[str, Any]:
    return {"product": series.product, "unit": series.unit, "source": series.source}


def _rolled(question: Question) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    size = SIZES[question.resolution]
    if question.fill == "none" and (question.zone is None or size != DAY):
        return _stored(question, size)
    return _spanned(question, size)


def _stored(question: Question, size: int) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """Return a page of rollups as they are stored."""
    mark = database.obj.param
    known = {one.number: one for one in question.series}
    numbers = ", ".join(str(int(number)) for number in known)
    rows = database.execute_sql(
        "SELECT series, at, count, sum, min, max, last, last_at, sketch FROM pulses_rollup "
        f"WHERE series IN ({numbers}) AND size = {mark} AND at >= {mark} AND at < {mark} "
        f"AND (at > {mark} OR series > {mark}) ORDER BY at, series LIMIT {question.limit + 1}",
        (size // SECOND, max(question.first // size * size, question.after[0]), question.behind,
         *question.after),
    ).fetchall()  # fmt: skip
    page = rows[: question.limit]
    further = (page[-1][1], page[-1][0]) if len(rows) > len(page) else None
    return [_row(question, known[row[0]], row[1], Sums(*row[1:])) for row in page], further


def _spanned(question: Question, size: int) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """Return a page of as many buckets as fit it, empty ones filled or left out.

    Such a page ends between two buckets.
    """
    first = max(question.first, question.after[0])
    many = max(1, question.limit // len(question.series))
    starts = _starts(question, size, first, many)
    base = _base(question, starts, size)
    of_series = [_filled(question, one, starts, base) for one in question.series]
    rows = [
        _row(question, series, at, sums)
        for place, at in enumerate(starts[:-1])
        for series, found in zip(question.series, of_series, strict=True)
        if (sums := found[place]) is not None or question.fill != "none"
    ]
    return rows, (starts[-1], 0) if starts[-1] < question.behind else None


def _starts(question: Question, size: int, first: int, many: int) -> list[int]:
    """Return where some buckets begin, the one that ``first`` is in before all, and an end."""
    if question.zone is not None and size == DAY:
        behind = min(question.behind, first + (many + 1) * DAY)
        return instants.day_starts(first, behind, question.zone)[: many + 1]
    begin = first // size * size
    end = min(-(-question.behind // size) * size, begin + many * size)
    return list(range(begin, end + 1, size))


def _base(question: Question, starts: list[int], size: int) -> int:
    """Return the largest rollups that the buckets can be put together of."""
    if question.zone is None or size != DAY:
        return size
    return HOUR if all(start % HOUR == 0 for start in starts) else MINUTE


def _filled(question: Question, series: Series, starts: list[int], base: int) -> list[Sums | None]:
    parts = rolling.read(series.number, base, starts[0], starts[-1])
    found: list[Sums | None] = [None] * (len(starts) - 1)
    for place, some in groupby(parts, lambda one: bisect_right(starts, one.at) - 1):
        found[place] = rolling.merged(starts[place], list(some))
    if question.fill == "previous":
        _repeat(question, series, starts, base, found)
    return found


def _repeat(
    question: Question, series: Series, starts: list[int], base: int, found: list[Sums | None]
) -> None:
    """Let what was before stand where nothing is."""
    known = found[0] or _before(question, series, starts[0], base)
    for place, sums in enumerate(found):
        known = sums or known
        found[place] = known


def _before(question: Question, series: Series, start: int, base: int) -> Sums | None:
    """Return the newest bucket before a time."""
    newest = rolling.newest(series.number, base, start)
    if newest is None or question.zone is None or base == SIZES[question.resolution]:
        return newest
    begin, *_ = instants.day_starts(newest.at, newest.at + 1, question.zone)
    return rolling.merged(begin, rolling.read(series.number, base, begin, start))


def _row(question: Question, series: Series, at: int, sums: Sums | None) -> dict[str, Any]:
    values = {name: _aggregate(name, sums, question.fill) for name in question.aggregates}
    return {"timestamp": shown(at), **_named(series), **values}


def _aggregate(name: str, sums: Sums | None, fill: str) -> float | None:
    if sums is None:
        return 0 if name == "count" or fill == "zero" else None
    if name == "avg":
        return sums.sum / sums.count
    if name == "p95":
        return sketches.quantile(sketches.merged([sums.sketch]), 0.95, sums.min, sums.max)
    found: float = getattr(sums, name)
    return found
