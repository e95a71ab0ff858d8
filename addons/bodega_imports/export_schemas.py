"""What exports look like outside."""

from typing import Any

from marshmallow import fields

from bodega_sdk.schemas import (
    Boolean,
    Dict,
    Integer,
    List,
    Schema,
    String,
    Timestamp,
    Uuid,
    validate,
)

FORMATS = ("csv", "tsv", "jsonl", "xlsx")
COMPRESSIONS = ("none", "gzip", "zip")
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")


def _one_of(choices: tuple[str, ...]) -> Any:
    listed = ", ".join(repr(item) for item in choices)
    return validate.OneOf(choices, error=f"Expected one of: {listed}.")


class ExportSchema(Schema):
    """Products in a file."""

    id = Uuid(dump_only=True)
    job_id = fields.Function(
        lambda run: str(run.id),
        metadata={"type": "string", "format": "uuid", "description": "The same as the id."},
    )
    format = String(load_default="csv", validate=_one_of(FORMATS))
    compression = String(load_default="none", validate=_one_of(COMPRESSIONS))
    columns = List(
        String(max_length=100), allow_none=True, load_default=None,
        validate=validate.Length(min=1, max=200, error="Name 1 to 200 columns."),
        metadata={"description": "Names of columns in their order; left out, those that an "
                  "import takes and the caller may see."},
    )  # fmt: skip
    filters = Dict(
        keys=String(max_length=100), values=String(max_length=1000), load_default=dict,
        validate=validate.Length(max=30, error="Send at most 30 filters."),
        metadata={"description": "Filters of `GET /products` and their values, as texts; "
                  "`search` too."},
    )  # fmt: skip
    delimiter = String(
        allow_none=True, load_default=None, validate=_one_of(DELIMITERS),
        metadata={"description": "Between the cells of CSV; a comma when left out."},
    )  # fmt: skip
    encoding = String(
        load_default="utf-8", validate=_one_of(ENCODINGS),
        metadata={"description": "Of CSV and TSV. What cp1252 lacks fails the export."},
    )  # fmt: skip
    escape_formulas = Boolean(
        load_default=True,
        metadata={"description": "Whether cells of CSV and TSV that a spreadsheet would reckon "
                  "with get an apostrophe in front, which an import takes away."},
    )  # fmt: skip
    filename = String(dump_only=True)
    status = String(
        dump_only=True,
        metadata={"enum": ["queued", "running", "completed", "failed", "parked", "expired"]},
    )
    total_rows = Integer(allow_none=True, dump_only=True)
    processed_rows = Integer(dump_only=True)
    progress = fields.Method("show_progress", metadata={"type": "integer", "maximum": 100})
    size = Integer(allow_none=True, dump_only=True, metadata={"description": "Bytes."})
    sha256 = String(dump_only=True, metadata={"description": "Of the file, in hexadecimal."})
    message = String(dump_only=True, metadata={"description": "Why it failed."})
    created_at = Timestamp(dump_only=True)
    finished_at = Timestamp(allow_none=True, dump_only=True)
    expires_at = Timestamp(
        allow_none=True, dump_only=True, metadata={"description": "Until when the file is kept."}
    )

    def show_progress(self, run: Any) -> int:
        """Per cent."""
        if run.status in ("completed", "expired"):
            return 100
        return min(99, 100 * run.processed_rows // run.total_rows) if run.total_rows else 0
