"""Metrics of webhooks, beside the shop's own at ``/metrics``."""

from prometheus_client import Counter, Histogram

from bodega_webhooks.parcels import Result

ATTEMPTS = Counter("bodega_webhooks_attempts_total", "Requests to webhooks.", ("outcome",))
SECONDS = Histogram(
    "bodega_webhooks_request_seconds",
    "Seconds that requests to webhooks took.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_OUTCOMES = {kind: ATTEMPTS.labels(kind) for kind in ("delivered", "refused", "unanswered")}


def count(result: Result) -> None:
    """Count an attempt."""
    SECONDS.observe(result.milliseconds / 1000)
    _OUTCOMES[_outcome(result)].inc()


def _outcome(result: Result) -> str:
    if result.delivered:
        return "delivered"
    return "unanswered" if result.status is None else "refused"
