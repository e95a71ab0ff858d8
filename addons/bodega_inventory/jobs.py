"""The jobs of inventory."""

from datetime import timedelta

from bodega_inventory import reserving, settling
from bodega_sdk import JobRun, job, now, setting


@job("inventory.expire", every=timedelta(minutes=1))
def expire(run: JobRun) -> None:
    """Give back what was promised until a time that is over."""
    more = True
    while more:
        with run.transaction():
            more = bool(reserving.expire())


@job("inventory.review", every=timedelta(minutes=5))
def review(run: JobRun) -> None:
    """Say anew what is low where the shop's threshold has been changed."""
    more = True
    while more:
        with run.transaction():
            more = bool(settling.review())


@job("inventory.prune", lane="bulk", every=timedelta(days=1))
def prune(run: JobRun) -> None:
    """Forget reservations that ended long ago; the ledger stays."""
    with run.transaction():
        reserving.forget(now() - timedelta(days=setting("inventory.kept_days")))


JOBS = (expire, review, prune)
