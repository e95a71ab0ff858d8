"""Recording points: a batch is stored wholly or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bodega_pulses import holding, horizon, naming, partitions, storing, telling
from bodega_pulses.batches import MOST_ERRORS, Batch, refused
from bodega_pulses.instants import DAY, EARLIEST, micros, shown
from bodega_pulses.naming import Key
from bodega_sdk import now, setting, transaction
from bodega_sdk.errors import FieldError, TooLarge

_EARLIEST = micros(EARLIEST)


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
    oldest = horizon.wanted()
    check_times(batch, oldest)
    keys = naming.keys_of(batch)
    partitions.make(partitions.lacking(_days(batch.at, batch.span)))
    while True:
        try:
            return _record(batch, keys, oldest)
        except naming.SeriesLacking as lacking:
            naming.make(lacking.keys)


def _record(batch: Batch, keys: Sequence[Key], oldest: int) -> Recorded:
    with transaction():
        held = holding.hold(keys, batch.span)
        # More may be gone already than is to be now: points were to be kept for a shorter time.
        check_times(batch, max(oldest, held.gone_before))
        of_heads = [held.numbers[key] for key in keys]
        news = telling.News()
        written = storing.write(of_heads, batch.of, batch.at, batch.values, held.new, news.add)
        telling.mark(news.of)
        telling.tell(news.of, held.numbers)
    unchanged = len(batch.at) - written.created - written.changed
    return Recorded(written.created, written.changed, unchanged)


def _check_size(batch: Batch) -> None:
    most = setting("pulses.points_per_request")
    if len(batch.at) > most:
        raise TooLarge(f"The batch has {len(batch.at):,} points; {most:,} are taken at a time.")


def check_times(batch: Batch, oldest: int) -> None:
    """Refuse a batch with points before a time, or of the future; naming them."""
    oldest, newest = max(oldest, _EARLIEST), micros(now() + timedelta(days=1))
    if oldest <= batch.span[0] and batch.span[1] <= newest:
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
