"""Beginning an import: the row, the job and the file, all or none."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from bodega_imports.importing import file_of
from bodega_imports.jobs import import_file
from bodega_imports.models import Import
from bodega_sdk import transaction


def begin_import(
    filename: str,
    size: int,
    started_by: str,
    put: Callable[[Path], object],
    organization: UUID | None = None,
    withheld: Mapping[str, str] | None = None,
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
    """
    with transaction():
        job_id = import_file.enqueue(withheld=dict(withheld or {}))
        path = file_of(job_id)
        put(path)
        try:
            run: Import = Import.create(
                id=job_id, filename=filename[:255], size=size, started_by=started_by,
                organization=organization,
            )  # fmt: skip
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return run
