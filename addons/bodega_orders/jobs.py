"""The jobs of orders."""

from datetime import timedelta

from bodega_orders import carts, expiring
from bodega_sdk import JobRun, job


@job("orders.expire", every=timedelta(minutes=1))
def expire(run: JobRun) -> None:
    """Cancel orders that nobody paid for in time."""
    more = True
    while more:
        with run.transaction():
            more = expiring.expire()


@job("orders.forget_carts", lane="bulk", every=timedelta(hours=6))
def forget_carts(run: JobRun) -> None:
    """Delete carts that nobody has touched for long, some at a time."""
    more = True
    while more:
        with run.transaction():
            more = bool(carts.forget())


JOBS = (expire, forget_carts)
