"""The jobs of analytics."""

from datetime import timedelta

from bodega_analytics import rebuilding
from bodega_sdk import JobRun, job


@job("analytics.catch_up", lane="bulk", every=timedelta(minutes=1))
def catch_up(run: JobRun) -> None:
    """Make the sums anew when orders or payments have come or gone; nothing otherwise."""
    if rebuilding.is_due():
        rebuilding.rebuild(run.transaction)
