"""What has to be told of points that were written: rollups that are behind, and events."""

from dataclasses import dataclass, field
from uuid import UUID

from bodega_pulses import events, rolling
from bodega_pulses.instants import shown
from bodega_pulses.naming import Key
from bodega_pulses.storing import Columns

_NOTHING = dict.fromkeys(("product", "product_id", "timestamp", "value", "unit", "source"))


@dataclass(slots=True)
class _New:
    """What is new of a series: how many points, the minutes they are in, and the newest."""

    points: int = 0
    minutes: set[int] = field(default_factory=set)
    at: int = 0
    value: float = 0.0


class News:
    """What is new of each series.

    Args:
        minutes: whether they are wanted.
    """

    def __init__(self, minutes: bool = True) -> None:
        self._minutes = minutes
        self.of: dict[int, _New] = {}

    def add(self, rows: Columns) -> None:
        """Add points that were written."""
        for run in rows.runs:
            at = rows.at[run.first : run.behind]
            new = self.of.get(run.series)
            if new is None:
                new = self.of[run.series] = _New()
            new.points += len(at)
            if self._minutes:
                new.minutes.update(rolling.minutes_of_times(at))
            if at[-1] >= new.at:
                new.at, new.value = at[-1], rows.values[run.behind - 1]


def mark(news: dict[int, _New]) -> None:
    """Mark the minutes whose rollups are behind."""
    if news:
        rolling.mark({number: one.minutes for number, one in news.items()})


def tell(news: dict[int, _New], numbers: dict[Key, int]) -> None:
    """Publish what happened.

    Args:
        news: see :class:`News`.
        numbers: of the series that points came for.
    """
    if not news:
        return
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
