"""Alerts: rules look at each new point of a series in the order of time, once.

A point that is older than one which rules have seen, or older than the shop looks back, is
history: it raises nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bodega_products import api as products
from bodega_pulses import events
from bodega_pulses.deviating import Window
from bodega_pulses.instants import MINUTE, micros, shown
from bodega_pulses.models import Alert, Point, Rule, Series
from bodega_sdk import locked, now, setting, transaction
from bodega_sdk.errors import invalid

#: Series and points of a series that are looked at in one transaction.
_SERIES, _POINTS = 50, 5000
#: Points of a trailing window at most: its newest.
_WINDOW = 10_000


def check(data: Mapping[str, Any]) -> None:
    """Refuse a rule that makes no sense.

    Raises:
        InvalidInput: deviations of nothing or less, or a product that is not there.
    """
    if data["kind"] == "anomaly" and data["threshold"] <= 0:
        raise invalid("threshold", "Expected more than 0 standard deviations.", data["threshold"])
    product = data.get("product")
    if product is not None and not products.existing([product]):
        raise invalid("product", "There is no product with this id.", str(product))


def clear_of(rule: Rule) -> None:
    """Clear the alerts of a rule that was changed: it may look for something else now."""
    mine = (Alert.rule == rule.id) & Alert.cleared_at.is_null()
    Alert.update(cleared_at=now(), updated_at=now()).where(mine).execute()


def watch() -> int:
    """Let rules look at what is new; return how many series had something."""
    new = Series.last_at > Series.watched_at
    if not Rule.select().where(Rule.enabled).exists():
        return int(Series.update(watched_at=Series.last_at).where(new).execute())
    seen = 0
    while found := list(Series.select(Series.number).where(new).limit(_SERIES).tuples()):
        for (number,) in found:
            with transaction():
                _look(number)
        seen += len(found)
    return seen


def _look(number: int) -> None:
    series = locked(Series.select().where(Series.number == number)).first()
    if series is None or series.last_at is None or series.last_at <= series.watched_at:
        return
    earliest = micros(now() - timedelta(minutes=setting("pulses.alert_minutes")))
    points = _points(number, max(series.watched_at, earliest))
    rules = list(Rule.select().where(_about(series)).order_by(Rule.id)) if points else []
    for rule in rules:
        _Watcher(rule, series).see(points)
    # Of the points of one time too many the rest comes next.
    seen = points[-1][0] if len(points) == _POINTS else series.last_at
    Series.update(watched_at=seen).where(Series.number == number).execute()


def _points(number: int, after: int) -> list[tuple[int, float]]:
    query = Point.select(Point.at, Point.value).where(Point.series == number, Point.at > after)
    return list(query.order_by(Point.at).limit(_POINTS).tuples())


def _about(series: Series) -> Any:
    """Return the condition that a rule is about a series."""
    condition: Any = Rule.enabled
    for field, value in (
        (Rule.product, series.product), (Rule.unit, series.unit), (Rule.source, series.source),
    ):  # fmt: skip
        condition &= field.is_null() | (field == value)
    return condition


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Whether a value is beyond the line, or back behind it; neither between the two."""

    beyond: bool
    back: bool
    reason: str


class _Watcher:
    """Follows one series for one rule."""

    def __init__(self, rule: Rule, series: Series) -> None:
        self._rule, self._series = rule, series
        mine = (Alert.rule == rule.id) & (Alert.series == series.number)
        self._mine = Alert.select().where(mine)
        self._open: Any = self._mine.where(Alert.cleared_at.is_null()).first()

    def see(self, points: list[tuple[int, float]]) -> None:
        """Look at points in the order of time."""
        for (at, value), judged in zip(points, self._judged(points), strict=True):
            if self._open is None and judged.beyond:
                self._raise(at, value, judged.reason)
            elif self._open is not None and judged.back:
                self._clear(at, value)

    def _judged(self, points: list[tuple[int, float]]) -> Iterable[_Judgement]:
        if self._rule.kind == "anomaly":
            return self._deviations(points)
        return (self._compared(value) for _, value in points)

    def _compared(self, value: float) -> _Judgement:
        # Below is above, looked at from the other side.
        sign = 1 if self._rule.kind == "above" else -1
        over = sign * (value - self._rule.threshold)
        unit = f" {self._series.unit}" if self._series.unit else ""
        reason = f"{value:g}{unit} is {self._rule.kind} {self._rule.threshold:g}{unit}."
        return _Judgement(over > 0, over <= -self._rule.hysteresis, reason)

    def _deviations(self, points: list[tuple[int, float]]) -> Iterator[_Judgement]:
        span = self._rule.window_minutes * MINUTE
        before = (Point.series == self._series.number) & (Point.at < points[0][0])
        before &= Point.at >= points[0][0] - span
        query = Point.select(Point.at, Point.value).where(before).order_by(Point.at.desc())
        window = Window(span, reversed(list(query.limit(_WINDOW).tuples())))
        for at, value in points:
            off = window.deviations(at, value)
            reason = ""
            if off is not None:
                reason = f"{value:g} is {off:.1f} standard deviations off {window.mean:g}."
            back = off is not None and off <= max(0.0, self._rule.threshold - self._rule.hysteresis)
            yield _Judgement(off is not None and off > self._rule.threshold, back, reason)
            window.add(at, value)

    def _raise(self, at: int, value: float, reason: str) -> None:
        cool = at - self._rule.cooldown_minutes * MINUTE
        told = not self._mine.where(Alert.told, Alert.at > cool).exists()
        series = self._series
        self._open = Alert.create(
            rule=self._rule.id, series=series.number, product=series.product, unit=series.unit,
            source=series.source, value=value, at=at, reason=reason[:300], told=told,
        )  # fmt: skip
        data = self._data(at, value) | {"told": told}
        events.alert_raised.publish(str(self._open.id), data)

    def _clear(self, at: int, value: float) -> None:
        alert = self._open
        Alert.update(cleared_at=now(), updated_at=now()).where(Alert.id == alert.id).execute()
        events.alert_cleared.publish(str(alert.id), self._data(at, value))
        self._open = None

    def _data(self, at: int, value: float) -> dict[str, Any]:
        series, alert = self._series, self._open
        known = products.products_of([series.product]).get(series.product)
        return {
            "id": alert.id, "rule": self._rule.id, "name": self._rule.name,
            "product": series.product, "sku": known.sku if known else "", "unit": series.unit,
            "source": series.source, "value": value, "timestamp": shown(at),
            "reason": alert.reason,
        }  # fmt: skip
