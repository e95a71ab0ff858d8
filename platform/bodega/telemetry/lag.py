"""Lag: how far the log, and who reads it, are behind what happened; asked when it is wanted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import peewee
import structlog
from playhouse.pool import MaxConnectionsExceeded
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bodega.database import outbox
from bodega.jobs.subscriptions import Standing, enabled_standings
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger(__name__)
#: Seconds that an event may wait for its number, or for a subscription that does not fail.
UNNUMBERED, UNREAD = 60.0, 600.0
_LABELS = ("subscription", "addon")


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits.

    Args:
        numbered: events that ever got a number.
        oldest: offset of the oldest that is kept.
        unnumbered: committed events that have no number yet.
        unnumbered_age: seconds since the oldest of them.
        standings: of the subscriptions of the enabled addons.
    """

    numbered: int
    oldest: int
    unnumbered: int
    unnumbered_age: float
    standings: tuple[Standing, ...]

    @property
    def fault(self) -> str:
        """What is wrong, in words; empty when nothing is."""
        failing = [item.name for item in self.standings if item.state == "failing"]
        slow = [item.name for item in self.standings if item.age > UNREAD]
        if failing:
            return f"failing: {', '.join(failing)}; see 'bodega events subscriptions'"
        if self.unnumbered_age > UNNUMBERED:
            return f"{self.unnumbered} events wait for a worker, {self.unnumbered_age:.0f} s"
        return f"far behind: {', '.join(slow)}" if slow else ""

    def __str__(self) -> str:
        unread = max((item.behind for item in self.standings), default=0)
        age = max((item.age for item in self.standings), default=0.0)
        return (
            f"{self.numbered} numbered, {self.unnumbered} waiting for a number; "
            f"{len(self.standings)} subscriptions, at most {unread} events and {age:.0f} s behind"
        )


def measure(session: "Session") -> Lag:
    """Ask the database."""
    database = session.databases.shop
    waiting, since = outbox.unnumbered(database)
    age = 0.0 if since is None else max(0.0, (now() - since).total_seconds())
    return Lag(
        outbox.last_offset(database), outbox.oldest_offset(database), waiting, age,
        tuple(enabled_standings(session)),
    )  # fmt: skip


class LagCollector(Collector):
    """Measures when Prometheus asks; says nothing while the database does not answer."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def describe(self) -> Iterable[Metric]:
        """Return nothing: only a collection knows what there is."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        try:
            found = measure(self._session)
        except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
            log.warning("the lag of events cannot be measured", error=str(error))
            self._session.databases.close()
            return
        yield from _of_log(found)
        yield from _of_subscriptions(found.standings)


def _of_log(found: Lag) -> Iterator[Metric]:
    total = found.numbered + found.unnumbered
    yield CounterMetricFamily("bodega_events_appended", "Events that were committed.", value=total)
    for name, help_, value in (
        ("bodega_events_unnumbered", "Committed events without a number yet.", found.unnumbered),
        ("bodega_events_unnumbered_age_seconds", "Age of the oldest.", found.unnumbered_age),
        ("bodega_events_newest_offset", "Offset of the newest event.", found.numbered),
        ("bodega_events_oldest_offset", "Offset of the oldest that is kept.", found.oldest),
    ):
        yield GaugeMetricFamily(name, help_, value=value)


def _of_subscriptions(standings: Iterable[Standing]) -> Iterator[Metric]:
    behind = GaugeMetricFamily(
        "bodega_subscription_behind", "Events that it has not read.", labels=_LABELS
    )
    age = GaugeMetricFamily(
        "bodega_subscription_oldest_unread_seconds", "Age of the first of them.", labels=_LABELS
    )
    failures = GaugeMetricFamily(
        "bodega_subscription_failures", "Failures in a row.", labels=_LABELS
    )
    for item in standings:
        labels = (item.name, item.addon)
        behind.add_metric(labels, item.behind)
        age.add_metric(labels, item.age)
        failures.add_metric(labels, item.failures)
    yield from (behind, age, failures)
