"""The jobs of imports."""

import time
from datetime import timedelta

from bodega_imports.importing import run_import
from bodega_sdk import JobRun, folder, job

#: Days that the file of an import is kept.
KEPT_DAYS = 7


@job("imports.import_file", lane="bulk")
def import_file(run: JobRun, withheld: dict[str, str] | None = None) -> None:
    """Import the file of the import that has this job's id."""
    run_import(run, withheld or {})


@job("imports.delete_old_files", every=timedelta(days=1))
def delete_old_files(run: JobRun) -> None:
    """Delete files of imports, and what dead runs left, after a week."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in folder("imports").iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
