"""Recording points: a batch is stored wholly or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from bodega_pulses import events, horizon, naming, partitions, rolling, storing
from bodega_pulses.batches import MOST_ERRORS, Batch, refused
from bodega_pulses.instants import DAY, EARLIEST, micros, shown
from bodega_pulses.naming import Key
from bodega_pulses.storing import Columns
from bodega_sdk import now, setting, transaction
from bodega_sdk.errors import FieldError, TooLarge

_EARLIEST = micros(EARLIEST)
_NOTHING = dict.fromkeys(("product", "product_id", "timestamp", "value", "unit", "source"))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of points: new ones, those with another value, and those as they were.

    Of points of one series and time in one batch only the last counts; the others are among
    the unchanged.
    """

    created: int
    changed: int
    unchanged: int


def record(batch: Batch) -> Recorded:
    """Store a batch.

    Raises:
        InvalidInput: points of no product, or of a time that is not taken; naming them.
        TooLarge: there are more points than one request may have.
        Conflict: there would be more series than may be.
    """
    if not batch.at:
        return Recorded(0, 0, 0)
    _check_size(batch)
    span = min(batch.at), max(batch.at)
    oldest = horizon.wanted()
    _check_times(batch, span, oldest)
    keys = naming.keys_of(batch)
    partitions.make(partitions.lacking(_days(batch.at, span)))
    while True:
        try:
            return _record(batch, keys, span, oldest)
        except naming.SeriesLacking as lacking:
            naming.make(lacking.keys)


def _record(batch: Batch, keys: Sequence[Key], span: tuple[int, int], oldest: int) -> Recorded:
    with transaction():
        # More may be gone already than is to be now: points were to be kept for a shorter time.
        _check_times(batch, span, max(oldest, horizon.held_still()))
        numbers = naming.held(keys)
        of_heads = [numbers[key] for key in keys]
        news = _News()
        written = storing.write(of_heads, batch.of, batch.at, batch.values, span, news.add)
        _tell(news.of, numbers)
    unchanged = len(batch.at) - written.created - written.changed
    return Recorded(written.created, written.changed, unchanged)


def _check_size(batch: Batch) -> None:
    most = setting("pulses.points_per_request")
    if len(batch.at) > most:
        raise TooLarge(f"The batch has {len(batch.at):,} points; {most:,} are taken at a time.")


def _check_times(batch: Batch, span: tuple[int, int], oldest: int) -> None:
    oldest, newest = max(oldest, _EARLIEST), micros(now() + timedelta(days=1))
    if oldest <= span[0] and span[1] <= newest:
        return
    early = f"Points before {shown(oldest)} are not taken any more: what they were part of is kept"
    faults = [
        FieldError(
            batch.named(place, "timestamp"),
            f"{early} as rollups only." if at < oldest else "Expected at most a day from now.",
            _shown(at),
        )
        for place, at in enumerate(batch.at)
        if not oldest <= at <= newest
    ]
    raise refused(faults[:MOST_ERRORS])


def _shown(at: int) -> str:
    try:
        return shown(at)
    except OverflowError:
        return f"{at} µs"


def _days(times: Sequence[int], span: tuple[int, int]) -> set[int]:
    """Return one time of each day, and so of each month; days are fewer than times."""
    between = {at // DAY * DAY for at in times} if span[1] - span[0] > DAY else set()
    return between.union(span)


@dataclass(slots=True)
class _New:
    """What is new of a series: how many points, the minutes they are in, and the newest."""

    points: int = 0
    minutes: set[int] = field(default_factory=set)
    at: int = 0
    value: float = 0.0


class _News:
    """What is new of each series."""

    def __init__(self) -> None:
        self.of: dict[int, _New] = {}

    def add(self, rows: Columns) -> None:
        """Add points that were written."""
        for run in rows.runs:
            at = rows.at[run.first : run.behind]
            new = self.of.setdefault(run.series, _New())
            new.points += len(at)
            new.minutes.update(rolling.minutes_of_times(at))
            if at[-1] >= new.at:
                new.at, new.value = at[-1], rows.values[run.behind - 1]


def _tell(news: dict[int, _New], numbers: dict[Key, int]) -> None:
    """Mark the minutes that are behind, and publish what happened."""
    if not news:
        return
    rolling.mark({number: one.minutes for number, one in news.items()})
    of_products: dict[UUID, list[Key]] = {}
    for key in numbers:
        if numbers[key] in news:
            of_products.setdefault(key[0], []).append(key)
    if len(of_products) > events.MOST:
        points = sum(one.points for one in news.values())
        counts = {"points": points, "products": len(of_products)}
        events.recorded.publish("", _NOTHING | counts)
        return
    told: list[tuple[str, dict[str, object]]] = []
    for product, keys in of_products.items():
        key = max(keys, key=lambda one: news[numbers[one]].at)
        newest = news[numbers[key]]
        data = {
            "product": product, "product_id": product, "timestamp": shown(newest.at),
            "value": newest.value, "unit": key[1], "source": key[2],
            "points": sum(news[numbers[one]].points for one in keys),
            "products": len(of_products),
        }  # fmt: skip
        told.append((str(product), data))
    events.recorded.publish_many(told)
