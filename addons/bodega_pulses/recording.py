"""Recording points: a batch is stored wholly or not at all."""

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
    series = [numbers[place] for place in batch.of]
    keys = list(zip(series, batch.at, strict=True))
    once = dict(zip(keys, batch.values, strict=True))
    ordered = sorted(once)
    times = [at for _, at in ordered]
    return Columns([one for one, _ in ordered], times, [once[key] for key in ordered])


def _tell(rows: Columns, written: Written, numbers: dict[Key, int]) -> None:
    """Mark the minutes that are behind, and publish what happened."""
    places = [*written.created, *written.changed]
    if not places:
        return
    rolling.mark([rows.series[one] for one in places], [rows.at[one] for one in places])
    keys = {number: key for key, number in numbers.items()}
    newest: dict[UUID, int] = {}
    counts: dict[UUID, int] = {}
    for place in places:
        product = keys[rows.series[place]][0]
        counts[product] = counts.get(product, 0) + 1
        if product not in newest or rows.at[place] >= rows.at[newest[product]]:
            newest[product] = place
    if len(counts) > events.MOST:
        events.recorded.publish("", _NOTHING | {"points": len(places), "products": len(counts)})
        return
    for product, place in newest.items():
        _, unit, source = keys[rows.series[place]]
        data = {
            "product": product, "product_id": product, "timestamp": shown(rows.at[place]),
            "value": rows.values[place], "unit": unit, "source": source,
            "points": counts[product], "products": len(counts),
        }  # fmt: skip
        events.recorded.publish(str(product), data)
