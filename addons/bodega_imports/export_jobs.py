"""The jobs of exports, and beginning one."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from bodega_imports.export_formats import ending_of
from bodega_imports.export_models import Export
from bodega_imports.exporting import exports_folder, file_of, run_export
from bodega_sdk import JobRun, job, now, setting, transaction
from bodega_sdk.errors import TooManyRequests

#: Exports of one organization, or of the shop, that may be waiting or running.
MOST_UNFINISHED = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants exported; all of it has been checked.

    Args:
        columns: names, see :func:`bodega_products.api.checked_columns`.
        filters: texts, see :func:`bodega_products.api.checked_filters`.
        organization: whose products; None for everybody's.
    """

    columns: Sequence[str]
    format: str = "csv"
    compression: str = "none"
    filters: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    escape_formulas: bool = True
    organization: UUID | None = None


@job("imports.export_products", lane="bulk")
def export_products(run: JobRun) -> None:
    """Write the file of the export that has this job's id."""
    run_export(run)


@job("imports.delete_old_exports", every=timedelta(days=1))
def delete_old_exports(run: JobRun) -> None:
    """Delete the files of exports that expired, and what dead runs left."""
    for export in Export.select().where(Export.expires_at < now(), Export.stored != ""):
        _expire(export)
    kept = {stored for (stored,) in Export.select(Export.stored).tuples()}
    yesterday = time.time() - 86_400
    for path in exports_folder().iterdir():
        if path.name not in kept and path.stat().st_mtime < yesterday:
            path.unlink(missing_ok=True)


def _expire(export: Export) -> None:
    with transaction():
        delete_file(export)
        export.status, export.stored, export.updated_at = "expired", "", now()
        export.save()


def delete_file(export: Export) -> None:
    """Delete the file of an export, if there is one."""
    if path := file_of(export):
        path.unlink(missing_ok=True)


def begin_export(wanted: Wanted, started_by: str) -> Export:
    """Write down an export and have a worker write its file.

    Args:
        started_by: the account's id, or what began it.

    Raises:
        TooManyRequests: there are enough that are not done.
    """
    with transaction():
        mine = _of(wanted.organization)
        _refuse_many(mine)
        _make_room(mine)
        ending = ending_of(wanted.format, wanted.compression)
        run: Export = Export.create(
            id=export_products.enqueue(), filename=f"products-{now():%Y-%m-%d}{ending}",
            format=wanted.format, compression=wanted.compression, columns=list(wanted.columns),
            filters=dict(wanted.filters), delimiter=wanted.delimiter, encoding=wanted.encoding,
            escape_formulas=wanted.escape_formulas, organization=wanted.organization,
            started_by=started_by,
        )  # fmt: skip
        return run


def _of(organization: UUID | None) -> Any:
    """Return the condition that an export is an organization's, or the shop's."""
    return (
        Export.organization.is_null()
        if organization is None
        else Export.organization == organization
    )


def _refuse_many(mine: Any) -> None:
    waiting = Export.select().where(mine, Export.finished_at.is_null())
    # A job that was given up leaves its export as it is; a day is time enough for any.
    recent = waiting.where(Export.created_at > now() - timedelta(days=1)).count()
    if recent >= MOST_UNFINISHED:
        message = f"{MOST_UNFINISHED} exports are not done; wait for one, or delete one."
        raise TooManyRequests(message, retry_after=30)


def _make_room(mine: Any) -> None:
    """Let the oldest expire where there are as many files as are kept."""
    kept = Export.select().where(mine, Export.stored != "").order_by(Export.created_at.desc())
    for export in kept.offset(setting("imports.exports_kept") - 1).limit(MOST_UNFINISHED):
        _expire(export)
