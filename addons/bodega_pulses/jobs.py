"""What is done without anybody asking: rollups and alerts all the time, old points once a day."""

from datetime import timedelta
from time import monotonic

from bodega_pulses import alerting, partitions, retaining, rolling
from bodega_sdk import JobRun, Service, ServiceRun, job

#: Seconds between two looks for what is new.
_PAUSE = 1.0
#: How many times as long as it worked the follower rests.
_REST = 7


@job("pulses.partition", every=timedelta(hours=6))
def partition(run: JobRun) -> None:
    """Make the partitions of the months to come, and of points that found none."""
    partitions.make(partitions.coming(), patience=10_000)


@job("pulses.prune", lane="bulk", every=timedelta(days=1))
def prune(run: JobRun) -> None:
    """Delete points that are older than the shop keeps; rollups stay."""
    retaining.prune()


def follow(service: ServiceRun) -> None:
    """Bring rollups up to date and let rules look at what is new, once a second.

    At most an eighth of the time: whoever reads rollups settles what is behind, so those who
    write may have the rest of the processor and of the database.
    """
    rest = _PAUSE
    while not service.wait(rest):
        began = monotonic()
        rolling.settle_present()
        alerting.watch()
        rest = max(_PAUSE, _REST * (monotonic() - began))


JOBS = (partition, prune)
FOLLOWER = Service("pulses.follower", follow)
