"""The jobs of imports."""

import time
from datetime import timedelta

from bodega_imports.changes import ChangedProduct
from bodega_imports.fetching import fetch_file
from bodega_imports.importing import run_import
from bodega_imports.models import Import
from bodega_imports.undoing import UNENDED
from bodega_imports.uploads import delete_expired
from bodega_sdk import JobRun, folder, job, now

#: Days that the file of an import is kept.
KEPT_DAYS = 7
#: How often an import is tried before it is given up.
ATTEMPTS = 5


@job("imports.import_file", lane="bulk", max_attempts=ATTEMPTS)
def import_file(run: JobRun, withheld: dict[str, str] | None = None, url: str = "") -> None:
    """Import the file of the import that has this job's id, and fetch it first if need be."""
    if url:
        fetch_file(run, url, last=run.attempt >= ATTEMPTS)
    run_import(run, withheld or {})


@job("imports.delete_old_files", every=timedelta(days=1))
def delete_old_files(run: JobRun) -> None:
    """Delete files of imports, and what dead runs left, after a week; and expired uploads."""
    delete_expired(KEPT_DAYS)
    ended = Import.finished_at < now() - timedelta(days=KEPT_DAYS)
    gone = Import.select(Import.id).where(ended, Import.undo.not_in(UNENDED))
    ChangedProduct.delete().where(ChangedProduct.run.in_(gone)).execute()
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in folder("imports").iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
