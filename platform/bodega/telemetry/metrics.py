"""Metrics for Prometheus, summed over all processes of the shop."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    Summary,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from bodega.telemetry.metrics_folder import VARIABLE

__all__ = [
    "CONTENT_TYPE_LATEST",
    "DURATION",
    "HOOK_CALLS",
    "HOOK_SECONDS",
    "JOBS",
    "KEPT_ANSWERS",
    "REQUESTS",
    "SERVICE_FAILURES",
    "SUBSCRIPTION_EVENTS",
    "exposition",
]

REQUESTS = Counter(
    "bodega_http_requests_total", "Requests answered.", ("method", "route", "status")
)
DURATION = Histogram(
    "bodega_http_request_seconds",
    "Seconds that a request took.",
    ("method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
JOBS = Counter("bodega_jobs_total", "Runs of jobs that ended.", ("job", "outcome"))
#: Outcomes: ok, failed, slow (beyond the budget), vetoed, refused (the breaker is open).
HOOK_CALLS = Counter(
    "bodega_hook_calls_total", "Calls of implementations of hooks.", ("hook", "addon", "outcome")
)
HOOK_SECONDS = Summary(
    "bodega_hook_seconds", "Seconds that implementations of hooks took.", ("hook", "addon")
)

#: Outcomes: given, failed (a batch counts with all its events).
SUBSCRIPTION_EVENTS = Counter(
    "bodega_subscription_events_total",
    "Events that subscriptions were given.",
    ("subscription", "outcome"),
)
SERVICE_FAILURES = Counter(
    "bodega_service_failures_total", "Times that a service raised and was begun anew.", ("service",)
)


#: Outcomes: hit, miss (none is kept), stale (what it was made of changed).
KEPT_ANSWERS = Counter(
    "bodega_http_kept_answers_total",
    "Requests to routes whose answers are kept.",
    ("route", "outcome"),
)


def exposition(*more: Collector) -> bytes:
    """Return the metrics of all processes in Prometheus' text format.

    Args:
        more: of what is measured only when it is asked for.
    """
    registry = CollectorRegistry()
    for collector in more:
        registry.register(collector)
    if VARIABLE not in os.environ:
        return generate_latest(REGISTRY) + generate_latest(registry)
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
