"""The jobs of orders."""

from datetime import timedelta

from bodega_orders import expiring
from bodega_sdk import JobRun, job


@job("orders.expire", every=timedelta(minutes=1))
def expire(run: JobRun) -> None:
    """Cancel orders that nobody paid for in time."""
    more = True
    while more:
        with run.transaction():
            more = expiring.expire()


JOBS = (expire,)
