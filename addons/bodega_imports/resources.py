"""The routes of imports."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import Any, ClassVar

import peewee

from bodega_imports import events, following, profiles, report, undoing
from bodega_imports.beginning import begin_import
from bodega_imports.changes import ChangedProduct
from bodega_imports.following import take_over_end
from bodega_imports.jobs import KEPT_DAYS
from bodega_imports.models import BadRow, Import
from bodega_imports.schemas import BadRowSchema, ConflictsSchema, ImportSchema
from bodega_imports.upload import received
from bodega_products import api as products
from bodega_sdk import (
    Collection,
    Filter,
    Identity,
    Parameter,
    Reply,
    Request,
    Route,
    cancel_job,
    extensions_of,
    now,
    transaction,
)
from bodega_sdk.errors import Conflict, FieldError, NotFound

#: Lets one see and import for the whole shop.
ALL = "imports.all"


class Imports(Collection):
    """Imports and how far they are."""

    model = Import
    schema = ImportSchema
    noun = "import"
    read = "imports.read"
    write = "imports.write"
    objects, beyond, owner = "organization", ALL, Import.organization
    verbs = ("list", "read")
    filters = (
        Filter(Parameter("status", str, "Only imports of this status."),
               lambda value: Import.status == value),
    )  # fmt: skip

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, cancelling one, and the report of its bad rows."""
        whose: dict[str, Any] = {"objects": self.objects, "beyond": self.beyond}
        return (
            *super().routes(path),
            Route(
                "POST", f"{path}/{{id}}/cancel", self._cancel, self.write, "Cancel an import",
                description="It stops within a second. What is written by then stays; of an "
                "atomic import or a dry run nothing does.",
                returns=ImportSchema, **whose,
            ),
            Route(
                "GET", f"{path}/{{id}}/report", self._report, self.read,
                "Download the bad rows of an import",
                description="The rows as they are in the file, and why they were not imported "
                f"in the column `{report.REASON}`, which imports do not use: correct them "
                f"there, and import the report. At most {report.MOST:,} rows.",
                produces="text/csv", **whose,
            ),
            Route(
                "POST", f"{path}/{{id}}/undo", self._undo, self.write, "Undo an import",
                description="The products that it made are deleted, and those that it changed "
                "are what they were, unless somebody changed them since; what addons add to "
                "them stays. A worker does it; follow `undo`, `undone` and `conflicts`. For "
                f"{KEPT_DAYS} days.",
                returns=ImportSchema, status=202, **whose,
            ),
            Route(
                "GET", f"{path}/{{id}}/conflicts", self._conflicts, self.read,
                "Read what could not be undone", returns=ConflictsSchema, **whose,
            ),
        )  # fmt: skip

    def _undo(self, request: Request) -> Reply:
        with transaction():
            run = Import.find(self.get(request).id, lock=True)
            if run is None or run.finished_at is None or run.dry_run or run.undo:
                message = "Only an import that has ended, and changed something, is undone, once."
                raise Conflict(message, [FieldError("status", message, run and run.status)])
            if not ChangedProduct.select().where(ChangedProduct.run == run.id).exists():
                message = f"It changed nothing, or ended more than {KEPT_DAYS} days ago."
                raise Conflict(message, [FieldError("id", message, str(run.id))])
            undoing.begin(run)
        return Reply(self.show(run, request), 202)

    def _conflicts(self, request: Request) -> dict[str, Any]:
        run: Import = self.get(request)
        mine = (ChangedProduct.run == run.id) & (ChangedProduct.conflict != "")
        query = ChangedProduct.select().where(mine).order_by(ChangedProduct.id).limit(1000)
        return {"conflicts": [{"product": str(x.product), "reason": x.conflict} for x in query]}

    def _cancel(self, request: Request) -> Reply:
        with transaction():
            # In the order of the job itself: first the import, then the job.
            run = Import.find(self.get(request).id, lock=True)
            if run is None or run.finished_at is not None or not cancel_job(run.id):
                message = "The import has ended already."
                raise Conflict(message, [FieldError("status", message, run and run.status)])
            run.status, run.phase, run.finished_at = "cancelled", "", now()
            run.message = f"Cancelled when {run.processed_rows:,} rows were done."
            if run.atomic or run.dry_run:
                run.message = "Cancelled; nothing was changed."
            run.save()
            events.publish(events.import_cancelled, run)
        return Reply(self.show(run, request))

    def _report(self, request: Request) -> Reply:
        run: Import = self.get(request)
        path = report.report_of(run.id)
        if not path.is_file():
            raise NotFound(
                "There is no report: no row was refused, or the import has not ended, or the "
                f"report was deleted {KEPT_DAYS} days behind the import."
            )
        stem = PurePath(run.filename).stem.encode("ascii", "replace").decode().replace("?", "_")
        stem = re.sub(r"[^\w.-]+", "_", stem)[:100] or "import"
        headers = {"Content-Disposition": f'attachment; filename="{stem}.errors.csv"'}
        return Reply(file=path, media="text/csv; charset=utf-8", headers=headers)

    def render(self, rows: Iterable[Import]) -> list[dict[str, Any]]:
        """Show imports; of one whose job will not go on by itself, say so."""
        shown = list(rows)
        for run in shown:
            if run.finished_at is None:
                take_over_end(run)
        return super().render(shown)


def may_follow(identity: Identity, key: str) -> bool:
    """Whether somebody may follow the import of an id."""
    return following.may_follow(Import, ALL, identity, key)


class BadRows(Collection):
    """The rows of an import that were not imported."""

    model = BadRow
    schema = BadRowSchema
    noun = "row that was not imported"
    nouns = "rows that were not imported"
    read = "imports.read"
    write = "imports.write"
    objects, beyond = "organization", ALL
    verbs = ("list",)
    orderings: ClassVar = {"line": BadRow.line}
    default_ordering = "line"

    def select(self, request: Request) -> peewee.ModelSelect:
        """The rows of one import."""
        Imports().get(request)
        return BadRow.select().where(BadRow.run == request.params["id"])


def withheld_from(identity: Identity) -> dict[str, str]:
    """Return the columns that somebody may not write, and the permissions they need."""
    barred = products.withheld(identity)
    for extension in extensions_of("products.product"):
        barred |= extension.withheld(identity)
    return barred


def begin_for(
    request: Request, filename: str, size: int, put: Callable[[Path], object], **more: Any
) -> Import:
    """Begin an import for whoever sends the file: what they may not write, it does not.

    Args:
        filename, size, put, more: see :func:`bodega_imports.beginning.begin_import`.

    Raises:
        PermissionDenied: they belong to no organization that it could be for.
    """
    organization, barred = Imports().whose(request), withheld_from(request.identity)
    sender = request.identity.subject
    return begin_import(filename, size, sender, put, organization, barred, **more)


def _upload(request: Request) -> Reply:
    Imports().whose(request)  # Whoever may not import anything is told before they send it.
    flags = {name: request.query.get(name, False) for name in ("dry_run", "atomic")}
    how = profiles.how_of(request)
    with received(request) as (name, size, path):
        run = begin_for(request, name, size, path.rename, how=how, **flags)
    shown = ImportSchema().dump(run)
    return Reply(shown, 202, {"Location": f"{request.raw.path.rstrip('/')}/{run.id}"})


UPLOAD = Route(
    "POST", "/imports", _upload, "imports.write", "Import a file of products",
    description="Send the file in the part `file` of a form, or as the body: CSV, XLSX or JSON "
    "Lines, also in a gzip or zip; what it is, is told by its bytes. The answer comes at once; "
    "follow the import at `Location`, or on the real-time channel `imports.{id}`.",
    media="multipart/form-data", largest=10_000_000_000, returns=ImportSchema, status=202,
    parameters=(
        *profiles.PARAMETERS,
        Parameter("dry_run", bool, "Only say what would happen: the counts and the bad rows."),
        Parameter("atomic", bool, "Import all rows or, if one of them is bad, none."),
    ),
    objects="organization", beyond=ALL,
)  # fmt: skip
