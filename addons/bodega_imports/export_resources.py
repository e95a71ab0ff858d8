"""The routes of exports."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from bodega_imports import following
from bodega_imports.export_formats import media_of
from bodega_imports.export_jobs import Wanted, begin_export, delete_file
from bodega_imports.export_models import Export
from bodega_imports.export_schemas import ExportSchema
from bodega_imports.exporting import file_of
from bodega_imports.following import take_over_end
from bodega_imports.resources import ALL
from bodega_products import api as products
from bodega_sdk import Collection, Filter, Identity, Parameter, Reply, Request, Route
from bodega_sdk.errors import Conflict, FieldError, NotFound, PermissionDenied, invalid

#: Lets one export products.
EXPORT = "imports.export"
_READ_INACTIVE = "products.read_inactive"


class Exports(Collection):
    """Exports and how far they are."""

    model = Export
    schema = ExportSchema
    noun = "export"
    read = EXPORT
    write = EXPORT
    objects, beyond, owner = "organization", ALL, Export.organization
    verbs = ("list", "read", "delete")
    filters = (
        Filter(Parameter("status", str, "Only exports of this status."),
               lambda value: Export.status == value),
    )  # fmt: skip

    def remove(self, request: Request, row: Export) -> None:
        """Delete an export with its file; a job that writes it stops."""
        row.delete_instance()
        delete_file(row)

    def render(self, rows: Iterable[Export]) -> list[dict[str, Any]]:
        """Show exports; of one whose job will not go on by itself, say so."""
        shown = list(rows)
        for run in shown:
            if run.finished_at is None:
                take_over_end(run)
        return super().render(shown)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, beginning one, and its file."""
        whose: dict[str, Any] = {"objects": self.objects, "beyond": self.beyond}
        return (
            Route(
                "POST", path, self._begin, EXPORT, "Export products", body=ExportSchema,
                description="The answer comes at once; follow the export at `Location`, or on "
                "the real-time channel `exports.{id}`, and get its file when it is completed.",
                returns=ExportSchema, status=202, idempotent=True, **whose,
            ),
            *super().routes(path),
            Route(
                "GET", f"{path}/{{id}}/file", self._file, EXPORT, "Download an export",
                description="A download that broke off is resumed by `Range` with `If-Range`: "
                "the `ETag` is the file's hash.",
                produces="application/octet-stream",
                reads={"Range": "Bytes of the file, e.g. `bytes=1000-`.",
                       "If-Range": "The ETag of what is there already."},
                tells={"ETag": "Changes with the bytes of the file.",
                       "Content-Disposition": "The name of the file.",
                       "Content-Range": "Which bytes these are, with 206."},
                **whose,
            ),
        )  # fmt: skip

    def _begin(self, request: Request) -> Reply:
        organization, sent = self.whose(request), request.body
        columns = products.checked_columns(sent["columns"], request.identity)
        wanted = Wanted(
            columns=[item.name for item in columns],
            format=sent["format"],
            compression=sent["compression"],
            filters=_filters(request.identity, organization, sent["filters"]),
            **texts_of(sent),
            organization=organization,
        )
        run = begin_export(wanted, request.identity.subject)
        location = f"{request.raw.path.rstrip('/')}/{run.id}"
        return Reply(self.show(run, request), 202, {"Location": location})

    def _file(self, request: Request) -> Reply:
        run: Export = self.get(request)
        if run.status == "expired":
            raise NotFound("The file was deleted, for it had expired; make another export.")
        if run.status != "completed":
            self.render([run])
            message = f"The export is {run.status}, not completed."
            raise Conflict(message, [FieldError("status", message, run.status)])
        _refuse_hidden(run, request.identity)
        path = file_of(run)
        if path is None:
            raise NotFound("The file is not there any more; make another export.")
        named = f'attachment; filename="{run.filename}"'
        headers = {"ETag": f'"{run.sha256}"', "Content-Disposition": named}
        return Reply(file=path, media=media_of(run), headers=headers)


def texts_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return how texts are written: what was sent, or what goes with the format.

    Raises:
        InvalidInput: the format has no such thing.
    """
    format, delimiter = sent["format"], sent["delimiter"]
    if format in ("jsonl", "xlsx") and sent["encoding"] != "utf-8":
        raise invalid("encoding", f"A file of the format {format} has none but utf-8.")
    if format != "csv" and delimiter not in (None, "\t" if format == "tsv" else None):
        raise invalid("delimiter", f"The format {format} has none to choose; csv has.")
    usual = "\t" if format == "tsv" else ","
    return {
        "delimiter": delimiter or usual,
        "encoding": sent["encoding"],
        "escape_formulas": sent["escape_formulas"],
    }


def _filters(
    identity: Identity, organization: UUID | None, sent: Mapping[str, str]
) -> dict[str, str]:
    """Return checked filters, narrowed to what somebody may see."""
    found = products.checked_filters(sent)
    if organization is not None or identity.may(_READ_INACTIVE):
        return dict(sent)
    if found.get("is_active") is False:
        message = f"Inactive products need the permission '{_READ_INACTIVE}'."
        raise PermissionDenied(message, [FieldError("filters.is_active", message)])
    return dict(sent) | {"is_active": "true"}


def _refuse_hidden(run: Export, identity: Identity) -> None:
    """Refuse a file with columns that are not for everybody of those who may see the export."""
    known = products.export_columns()
    products.checked_columns([name for name in run.columns if name in known], identity)


def may_follow(identity: Identity, key: str) -> bool:
    """Whether somebody may follow the export of an id."""
    return following.may_follow(Export, ALL, identity, key)
