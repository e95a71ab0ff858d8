"""The routes of imports."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_imports.beginning import begin_import
from bodega_imports.models import BadRow, Import
from bodega_imports.schemas import BadRowSchema, ImportSchema
from bodega_imports.upload import received
from bodega_sdk import (
    Collection,
    Filter,
    Identity,
    Parameter,
    Reply,
    Request,
    Route,
    extensions_of,
    job_state,
)

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

    def render(self, rows: Iterable[Import]) -> list[dict[str, Any]]:
        """Show imports; of one whose job will not go on by itself, say so."""
        shown = list(rows)
        for run in shown:
            if run.finished_at is None:
                _take_over_end(run)
        return super().render(shown)


def _take_over_end(run: Import) -> None:
    state = job_state(run.id)
    if state is None or state.status in ("dead", "cancelled"):
        run.status = "failed"
        run.message = (state and state.error) or "its job was cancelled"
    elif state.status == "parked":
        run.status = "parked"


def may_follow(identity: Identity, key: str) -> bool:
    """Whether somebody may follow the import of an id."""
    if identity.may(ALL):
        return True
    try:
        run = Import.find(UUID(key))
    except ValueError:
        return False
    return run is not None and str(run.organization or "-") == identity.organization


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


def _upload(request: Request) -> Reply:
    organization = Imports().whose(request)
    sender = request.identity
    barred: dict[str, str] = {}
    for extension in extensions_of("products.product"):
        barred |= extension.withheld(sender)
    with received(request) as (name, size, path):
        run = begin_import(name, size, sender.subject, path.rename, organization, barred)
    shown = ImportSchema().dump(run)
    return Reply(shown, 202, {"Location": f"{request.raw.path.rstrip('/')}/{run.id}"})


UPLOAD = Route(
    "POST", "/imports", _upload, "imports.write", "Import a file of products",
    description="Send the file in the part `file` of a form, or as the body with `text/csv`. "
    "The answer comes at once; follow the import at `Location`, or on the real-time "
    "channel `imports.{id}`.",
    media="multipart/form-data", largest=10_000_000_000, returns=ImportSchema, status=202,
    objects="organization", beyond=ALL,
)  # fmt: skip
