"""Undoing an import: what it changed is brought back, unless somebody changed it since."""

from uuid import UUID

from bodega_imports import events
from bodega_imports.changes import ChangedProduct, change_of
from bodega_imports.models import Import
from bodega_products import api as products
from bodega_sdk import JobRun, job, now, transaction

#: Products of one transaction.
_MANY = 500
#: States in which an undoing goes on.
UNENDED = ("queued", "running")


@job("imports.undo_import", lane="bulk")
def undo_import(run: JobRun, import_id: str) -> None:
    """Undo an import, the last change first; go on where a dead run stopped."""
    undone = Import.get_by_id(UUID(import_id))
    while _undo_some(run, undone):
        pass
    with run.transaction():
        undone.undo = "completed"
        _save(undone)
        events.publish(events.import_reverted, undone)


def begin(run: Import) -> None:
    """Have a worker undo an import; call it in a transaction."""
    run.undo = "queued"
    _save(run)
    undo_import.enqueue(import_id=str(run.id))


def _undo_some(job_run: JobRun, run: Import) -> bool:
    """Undo some changes; return whether there were any."""
    with job_run.transaction():
        mine = (ChangedProduct.run == run.id) & (ChangedProduct.conflict == "")
        query = ChangedProduct.select().where(mine).order_by(ChangedProduct.id.desc())
        rows = list(query.limit(_MANY))
        if not rows:
            return False
        source = f"import:{run.id}:undo"
        conflicts = products.undo([change_of(row) for row in rows], source, run.organization)
        for row in rows:
            if row.product in conflicts:
                row.conflict = conflicts[row.product]
                row.save(only=[ChangedProduct.conflict])
        done = [row.id for row in rows if row.product not in conflicts]
        ChangedProduct.delete().where(ChangedProduct.id.in_(done)).execute()
        run.undo, run.undone = "running", run.undone + len(done)
        run.conflicts += len(conflicts)
        _save(run)
        job_run.save(done=run.undone + run.conflicts)
    return True


def _save(run: Import) -> None:
    run.updated_at = now()
    with transaction():
        run.save(only=[Import.undo, Import.undone, Import.conflicts, Import.updated_at])
