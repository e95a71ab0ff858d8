"""Exporting products: into a file of its own name, which is the export's once it is whole."""

import os
import time
from datetime import timedelta
from pathlib import Path

from bodega_imports import export_events as events
from bodega_imports.export_formats import FORMATS, UnsuitableFormat, Writing, ending_of
from bodega_imports.export_models import Export
from bodega_imports.export_streams import Packed, Unencodable
from bodega_products import api as products
from bodega_sdk import JobRun, folder, now, setting
from bodega_sdk.errors import BodegaError, PermanentFailure, Problem
from bodega_sdk.snapshots import snapshot

#: Seconds between two notes of how far an export is.
_PAUSE = 0.2


class Gone(BodegaError):
    """The export was deleted meanwhile."""


def exports_folder() -> Path:
    """Return where the files of exports are kept."""
    return folder("imports/exports")


def file_of(run: Export) -> Path | None:
    """Return the file of an export; None while, or when, there is none."""
    path = exports_folder() / run.stored if run.stored else None
    return path if path is not None and path.is_file() else None


def run_export(job: JobRun) -> None:
    """Write the file of the export that has the job's id.

    A run that takes over from a dead one begins anew, with a file of another name: of what
    the dead one has written nothing is known to be whole.

    Raises:
        PermanentFailure: it cannot be written; the export says why.
    """
    run = Export.find(job.id)
    if run is None:
        return
    try:
        _Exporting(job, run).go()
    except Gone:
        return
    except (Unencodable, UnsuitableFormat, Problem) as error:
        _fail(job, run, str(error))
        raise PermanentFailure(str(error)) from None


def _fail(job: JobRun, run: Export, message: str) -> None:
    with job.transaction():
        run.status, run.message, run.finished_at = "failed", message, now()
        _update(run)
        events.publish(events.export_failed, run)


def _update(run: Export) -> None:
    """Write an export down.

    Raises:
        Gone: there is none any more.
    """
    run.updated_at = now()
    if not run.save():
        raise Gone


class _Exporting:
    """One run that writes one file."""

    def __init__(self, job: JobRun, run: Export) -> None:
        self._job, self._run = job, run
        self._noted, self._done = 0.0, False
        ending = ending_of(run.format, run.compression)
        self._name = f"{run.id}.{job.attempt}{ending}"
        self._part = exports_folder() / f"{self._name}.part"

    def go(self) -> None:
        member = f"products{FORMATS[self._run.format].ending}"
        self._part.unlink(missing_ok=True)
        packed = Packed(self._part, self._run.compression, member)
        try:
            self._write(packed)
            sha256 = packed.finish()
            _settle(self._part, exports_folder() / self._name)
            self._complete(sha256, packed.size)
        finally:
            packed.drop()
            self._part.unlink(missing_ok=True)
            if not self._done:
                (exports_folder() / self._name).unlink(missing_ok=True)

    def _write(self, packed: Packed) -> None:
        run, columns = self._run, products.checked_columns(self._run.columns, None)
        with snapshot() as shop:
            rows = products.ProductRows(shop, columns, run.filters, run.organization)
            run.status, run.total_rows, run.processed_rows = "running", rows.count(), 0
            self._note()
            FORMATS[run.format].write(
                Writing(run, shop, rows, packed.to, self._tick, exports_folder())
            )
        if run.processed_rows != run.total_rows:
            found = f"{run.processed_rows:,} of {run.total_rows:,} rows"
            raise BodegaError(f"export {run.id}: {found} came out of one snapshot")

    def _tick(self, rows: int) -> None:
        self._run.processed_rows = rows
        if time.monotonic() - self._noted >= _PAUSE:
            self._note()

    def _note(self) -> None:
        """Say how far it is; whoever lost the lease, was cancelled or deleted stops here."""
        run = self._run
        with self._job.transaction():
            _update(run)
            self._job.save(done=run.processed_rows, total=run.total_rows)
            events.publish(events.export_progressed, run)
        self._noted = time.monotonic()

    def _complete(self, sha256: str, size: int) -> None:
        run = self._run
        with self._job.transaction():
            run.status, run.finished_at = "completed", now()
            run.sha256, run.size, run.stored = sha256, size, self._name
            run.expires_at = now() + timedelta(days=setting("imports.export_days"))
            _update(run)
            self._job.save(done=run.processed_rows, total=run.total_rows)
            events.publish(events.export_completed, run)
        self._done = True


def _settle(part: Path, path: Path) -> None:
    """Give a file that is whole its name; it is on the disk before anybody is told of it."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
