"""Points of the sample products of ``bodega sample-data``: a week of temperatures of a few."""

import math
from uuid import UUID

import peewee

from bodega_products import api as products
from bodega_pulses import naming, recording, rolling
from bodega_pulses.batches import Batch
from bodega_pulses.instants import HOUR, MINUTE, micros
from bodega_pulses.models import Alert, Mark, Point, Rollup, Series
from bodega_sdk import SampleData, SampleRun, now, sample_id, sample_ids

_KIND = "products.product"
#: Of so many products one is measured.
_EACH = 10
_HEAD = ("°C", "sample-probe")


def _make(run: SampleRun) -> None:
    wanted = [sample_id(_KIND, number) for number in range(0, run.count, _EACH)]
    alive = sorted(products.existing(wanted))
    known = {key for (key,) in Series.select(Series.product).where(_is_sample()).tuples()}
    run.found("series of pulses", len(known.intersection(alive)))
    for key in alive:
        if key not in known:
            made = recording.record(_batch(run, key))
            run.made("pulses", made.created)


def _batch(run: SampleRun, product: UUID) -> Batch:
    draw, end = run.draw(f"pulses {product}"), micros(now()) // HOUR * HOUR
    at = list(range(end - 7 * 24 * HOUR, end, 10 * MINUTE))
    base = draw.uniform(18, 24)
    values = [
        round(base + 3 * math.sin(2 * math.pi * time / (24 * HOUR)) + draw.gauss(0, 0.3), 2)
        for time in at
    ]
    return Batch([(str(product), *_HEAD)], [0] * len(at), at, values)


def _is_sample() -> peewee.Expression:
    return (Series.unit == _HEAD[0]) & (Series.source == _HEAD[1])


def _remove(run: SampleRun) -> None:
    wanted = set(sample_ids(_KIND))
    found = Series.select(Series.number, Series.product).where(_is_sample()).tuples()
    numbers = [number for number, product in found if product in wanted]
    # Nobody rolls up what is going to be gone.
    rolling.hold(numbers)
    naming.hold(numbers)
    for model in (Mark, Rollup, Alert, Point):
        gone = [model.delete().where(model.series == number).execute() for number in numbers]
    run.made("pulses", sum(gone) if numbers else 0)
    for number in numbers:
        Series.delete().where(Series.number == number).execute()


def _others() -> int:
    """Count series of products that are no samples."""
    wanted = set(sample_ids(_KIND))
    found = Series.select(Series.product).distinct().tuples()
    return sum(key not in wanted for (key,) in found)


SAMPLES = SampleData(_make, _remove, _others)
