"""What other addons may call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bodega_pulses import recording
from bodega_pulses.batches import Batch, head_fault
from bodega_pulses.instants import micros
from bodega_pulses.recording import Recorded
from bodega_pulses.sketches import LARGEST
from bodega_sdk.errors import invalid

__all__ = ["Pulse", "Recorded", "record"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """A value that was measured of a product.

    Args:
        product: its id.
        timestamp: aware.
        value: finite.
        unit, source: what it is measured in, and by; with the product, the series.
    """

    product: UUID
    timestamp: datetime
    value: float
    unit: str = ""
    source: str = ""


def record(points: Iterable[Pulse]) -> Recorded:
    """Store points, all or none; joins the transaction that is open.

    Raises:
        InvalidInput: naming each point that cannot be taken, as ``points.3.value``.
        TooLarge: there are more than one batch may have.
    """
    found = list(points)
    keys = [(str(one.product), one.unit, one.source) for one in found]
    heads = list(dict.fromkeys(keys))
    _check(found, heads)
    places = {head: place for place, head in enumerate(heads)}
    at = [micros(one.timestamp) for one in found]
    return recording.record(
        Batch(heads, [places[key] for key in keys], at, [float(one.value) for one in found])
    )


def _check(points: Sequence[Pulse], heads: Iterable[tuple[str, str, str]]) -> None:
    for head in heads:
        if fault := head_fault(head):
            raise invalid(*fault)
    for place, one in enumerate(points):
        if not abs(one.value) <= LARGEST:
            told = f"Expected a number of a magnitude of {LARGEST:g} at most."
            raise invalid(f"points.{place}.value", told, one.value)
