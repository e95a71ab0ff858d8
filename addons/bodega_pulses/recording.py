"""Recording points: a batch is stored wholly or not at all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from bodega_pulses import events, horizon, naming, partitions, rolling, storing
from bodega_pulses.batches import MOST_ERRORS, Batch, refused
from bodega_pulses.instants import DAY, EARLIEST, micros, shown
from bodega_pulses.naming import Key
from bodega_pulses.storing import Columns, Written
from bodega_sdk import now, setting, transaction
from bodega_sdk.errors import FieldError, TooLarge

_EARLIEST = micros(EARLIEST)
#: Bits of a time, which are fewer until the year 38500.
_BITS = 60
_LOW = (1 << _BITS) - 1
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
    _check_times(batch, horizon.oldest_taken())
    keys = naming.keys_of(batch)
    partitions.make(partitions.lacking({min(batch.at), max(batch.at), *_months(batch.at)}))
    with transaction():
        horizon.hold_still()
        # It may have moved meanwhile.
        _check_times(batch, horizon.oldest_taken())
        numbers = naming.numbers_of(keys)
        naming.hold(numbers.values())
        rows = _columns(batch, [numbers[key] for key in keys])
        written = storing.write(rows)
        _tell(rows, written, numbers)
    created, changed = len(written.created), len(written.changed)
    return Recorded(created, changed, len(batch.at) - created - changed)


def _check_size(batch: Batch) -> None:
    most = setting("pulses.points_per_request")
    if len(batch.at) > most:
        raise TooLarge(f"The batch has {len(batch.at):,} points; {most:,} are taken at a time.")


def _check_times(batch: Batch, oldest: int) -> None:
    oldest, newest = max(oldest, _EARLIEST), micros(now() + timedelta(days=1))
    if oldest <= min(batch.at) and max(batch.at) <= newest:
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


def _months(times: Sequence[int]) -> set[int]:
    """Return one time of each month: of each day, that is, which are fewer than the times."""
    return {at // DAY * DAY for at in times} if max(times) - min(times) > DAY else set()


def _columns(batch: Batch, numbers: list[int]) -> Columns:
    """Return points by series and time; of two of one time, the later one."""
    # One number for both is sorted in half the time that a pair takes.
    high = [number << _BITS for number in numbers]
    keys = [high[place] | at for place, at in zip(batch.of, batch.at, strict=True)]
    once = dict(zip(keys, batch.values, strict=True))
    ordered = sorted(once)
    series, times = [key >> _BITS for key in ordered], [key & _LOW for key in ordered]
    return Columns(series, times, list(map(once.__getitem__, ordered)))


def _tell(rows: Columns, written: Written, numbers: dict[Key, int]) -> None:
    """Mark the minutes that are behind, and publish what happened."""
    if not (written.created or written.changed):
        return
    if len(written.created) < len(rows.at):
        rows = rows.only(sorted((*written.created, *written.changed)))
    rolling.mark(rows.series, rows.at)
    # Behind the others of a series is its newest.
    newest = dict(zip(rows.series, range(len(rows.at)), strict=True))
    counts = Counter(rows.series)
    of_products: dict[UUID, list[Key]] = {}
    for key in numbers:
        if numbers[key] in newest:
            of_products.setdefault(key[0], []).append(key)
    if len(of_products) > events.MOST:
        told = {"points": len(rows.at), "products": len(of_products)}
        events.recorded.publish("", _NOTHING | told)
        return
    for product, keys in of_products.items():
        key = max(keys, key=lambda one: rows.at[newest[numbers[one]]])
        place = newest[numbers[key]]
        data = {
            "product": product, "product_id": product, "timestamp": shown(rows.at[place]),
            "value": rows.values[place], "unit": key[1], "source": key[2],
            "points": sum(counts[numbers[one]] for one in keys), "products": len(of_products),
        }  # fmt: skip
        events.recorded.publish(str(product), data)
