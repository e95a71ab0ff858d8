"""Beginning an import: the row, the job and the file, all or none."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from bodega_imports.importing import file_of
from bodega_imports.jobs import import_file
from bodega_imports.models import Import
from bodega_imports.profiles import How
from bodega_sdk import now, transaction


def begin_import(
    filename: str,
    size: int,
    started_by: str,
    put: Callable[[Path], object],
    organization: UUID | None = None,
    withheld: Mapping[str, str] | None = None,
    *,
    import_id: UUID | None = None,
    source: str = "",
    url: str = "",
    how: How | None = None,
    dry_run: bool = False,
    atomic: bool = False,
) -> Import:
    """Write down an import and have a worker run it.

    Args:
        filename: as the user calls it.
        size: bytes.
        started_by: the account's id, or what began it.
        put: puts the file at the path it is given; done before the commit, so that no
            worker finds the job without its file.
        organization: whose products it may write; None for everybody's.
        withheld: columns that may not be written, and the permissions they need.
        import_id: a UUIDv7 for it to have: beginning it twice breaks the transaction then.
        source: where the file comes from, to be shown.
        how: how the file is read; None when all is found out.
        dry_run: whether nothing is to be changed.
        atomic: whether all rows are to be imported, or none.
        url: sealed, of a file that the worker fetches first.
    """
    with transaction():
        fetched: dict[str, Any] = {"url": url} if url else {}
        job_id = import_file.enqueue(job_id=import_id, withheld=dict(withheld or {}), **fetched)
        path = file_of(job_id)
        put(path)
        try:
            run: Import = Import.create(
                id=job_id, filename=filename[:255], size=size, started_by=started_by,
                organization=organization, source=source[:500], dry_run=dry_run, atomic=atomic,
                how=how and how.stored(),
                ready_at=None if url else now(),
            )  # fmt: skip
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return run
