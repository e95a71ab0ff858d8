"""Metrics of webhooks, beside the shop's own at ``/metrics``."""

from collections import Counter as Numbers
from collections.abc import Sequence

from prometheus_client import Counter

from bodega_webhooks.parcels import Result

ATTEMPTS = Counter("bodega_webhooks_attempts_total", "Requests to webhooks.", ("outcome",))
SECONDS = Counter("bodega_webhooks_request_seconds_total", "Seconds that they took, all in all.")


def count(results: Sequence[Result]) -> None:
    """Count attempts; by the round, because there may be thousands a second."""
    for outcome, number in Numbers(map(_outcome, results)).items():
        ATTEMPTS.labels(outcome).inc(number)
    SECONDS.inc(sum(result.milliseconds for result in results) / 1000)


def _outcome(result: Result) -> str:
    if result.delivered:
        return "delivered"
    return "unanswered" if result.status is None else "refused"
