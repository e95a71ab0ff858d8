"""The jobs of pictures."""

from datetime import timedelta

from bodega_media import sweeping, wanting
from bodega_sdk import JobRun, job


@job("media.sweep", every=timedelta(hours=1))
def sweep(run: JobRun) -> None:
    """Delete the files that no picture needs any more, and what broken uploads left."""
    sweeping.sweep(run.transaction)


@job("media.fetch_wanted", lane="bulk", every=timedelta(minutes=5))
def fetch_wanted(run: JobRun) -> None:
    """Fetch pictures that files name, and try those again that could not be fetched."""
    wanting.fetch_all(run)


JOBS = (sweep, fetch_wanted)
