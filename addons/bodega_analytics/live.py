"""The channel ``analytics.live``: tells that the sums changed, at most once a second."""

from typing import Any

from bodega_analytics import counting, events, selling
from bodega_analytics.models import State
from bodega_analytics.periods import Period, period_of
from bodega_sdk import Channel, Service, ServiceRun, transaction

CHANNEL = Channel(
    "analytics.live", (events.updated.name,), "analytics.read", "What was sold today",
    conflate=True,
)  # fmt: skip
_SECONDS = 1.0


def run(service: ServiceRun) -> None:
    """Tell, again and again; every worker asks, and one of them tells."""
    while not service.wait(_SECONDS):
        tell()


def tell() -> bool:
    """Tell of the sums as they are now, unless that was done; return whether it was told."""
    if not State.select().where(State.revision > State.told).exists():
        return False
    with transaction():
        state = counting.hold()
        if state.revision <= state.told:
            return False
        State.update(told=state.revision).where(State.id == 1).execute()
        events.updated.publish("", {"revision": state.revision} | _today())
    return True


def _today() -> dict[str, Any]:
    month = period_of({})
    today = Period(month.last, month.last, month.zone)
    rows = selling.trend(today, "day")
    names = ("currency", "orders", "gross", "net")
    results = [{name: row[name] for name in names} for row in rows]
    return {**today.shown, "rows": results}


SERVICE = Service("analytics.teller", run)
