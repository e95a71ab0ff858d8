"""Jobs of the search."""

from datetime import timedelta

from bodega_products.search_index import keep_missing
from bodega_sdk import JobRun, job


@job("products.index_missing", lane="bulk", every=timedelta(minutes=10))
def index_missing(run: JobRun) -> None:
    """Index what the index lacks: everything, behind the upgrade that made it."""
    found = 1
    while found:
        with run.transaction():
            found = keep_missing()


JOBS = (index_missing,)
