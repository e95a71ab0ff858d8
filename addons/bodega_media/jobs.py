"""The jobs of pictures."""

from datetime import timedelta

from bodega_media import sweeping
from bodega_sdk import JobRun, job


@job("media.sweep", every=timedelta(hours=1))
def sweep(run: JobRun) -> None:
    """Delete the files that no picture needs any more, and what broken uploads left."""
    sweeping.sweep(run.transaction)


JOBS = (sweep,)
