"""What the server counts, and how Prometheus reads it."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from bodega_sdk.models import now

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@dataclass(slots=True)
class Meters:
    """Counted since the server started; plain numbers, as deliveries are many.

    Args:
        connections: that are open now, by kind: ``protocol``, ``plain`` or ``sse``.
        subscriptions: that are open now.
        deliveries: events handed to subscriptions.
        cut: clients that read too slowly.
        replays: that were done; ``unrecovered``: that could not be.
        replayed: events sent by replays.
        lags: events handed out, by the seconds since they happened.
    """

    connections: dict[str, int] = field(
        default_factory=lambda: {"protocol": 0, "plain": 0, "sse": 0}
    )
    subscriptions: int = 0
    deliveries: int = 0
    cut: int = 0
    replays: int = 0
    unrecovered: int = 0
    replayed: int = 0
    lags: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    lag_sum: float = 0.0

    def handed(self, occurred_at: datetime, deliveries: int) -> None:
        """Count an event that was handed to so many subscriptions."""
        self.deliveries += deliveries
        lag = max(0.0, (now() - occurred_at).total_seconds())
        self.lags[bisect_left(_BOUNDS, lag)] += 1
        self.lag_sum += lag


class MeterCollector(Collector):
    """Shows the meters, and how far behind the log the server is, when Prometheus asks.

    Args:
        position: returns the offset up to which every event was handed out.
    """

    def __init__(self, meters: Meters, position: Callable[[], int]) -> None:
        self._meters = meters
        self._position = position

    def describe(self) -> Iterable[Metric]:
        """Return nothing: only a collection knows what there is."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        meters = self._meters
        connections = GaugeMetricFamily(
            "bodega_realtime_connections", "Clients that are connected.", labels=("kind",)
        )
        for kind, number in meters.connections.items():
            connections.add_metric((kind,), number)
        yield connections
        for name, text, value in (
            ("subscriptions", "Subscriptions that are open.", meters.subscriptions),
            ("position", "Offset up to which every event was handed out.", self._position()),
        ):
            yield GaugeMetricFamily(f"bodega_realtime_{name}", text, value=value)
        for name, text, value in (
            ("deliveries", "Events handed to subscriptions.", meters.deliveries),
            ("slow_readers_cut", "Clients that read too slowly.", meters.cut),
            ("replays", "Subscriptions that resumed.", meters.replays),
            ("unrecovered", "Subscriptions that could not resume.", meters.unrecovered),
            ("replayed_events", "Events sent to those that resumed.", meters.replayed),
        ):
            yield CounterMetricFamily(f"bodega_realtime_{name}", text, value=value)
        yield self._lag()

    def _lag(self) -> Metric:
        found, total = [], 0
        for bound, number in zip((*_BOUNDS, "+Inf"), self._meters.lags, strict=True):
            total += number
            found.append((str(bound), total))
        text = "Seconds from the moment an event happened until it was handed out."
        return HistogramMetricFamily(
            "bodega_realtime_lag_seconds", text, buckets=found, sum_value=self._meters.lag_sum
        )

    def exposition(self) -> bytes:
        """Return the metrics of this process in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)
