"""What imports look like outside."""

import math
from typing import Any

from marshmallow import fields

from bodega_sdk import now
from bodega_sdk.schemas import Boolean, Integer, List, Nested, Schema, String, Timestamp, Uuid


class ImportSchema(Schema):
    """An import."""

    id = Uuid()
    job_id = fields.Function(
        lambda run: str(run.id),
        metadata={"type": "string", "format": "uuid", "description": "The same as the id."},
    )
    filename = String()
    source = String(
        metadata={
            "description": "Where the file came from when it was not sent: a URL without its "
            "query, or the watched folder."
        }
    )
    size = Integer(metadata={"description": "Bytes."})
    status = String(
        metadata={"enum": ["queued", "running", "completed", "failed", "cancelled", "parked"]}
    )
    phase = String(metadata={"description": "fetching, reading or writing, while it runs."})
    format = String(metadata={"description": "bodega, shopify, woocommerce, magento or generic."})
    dry_run = Boolean(metadata={"description": "Whether nothing was to be changed."})
    atomic = Boolean(metadata={"description": "Whether all rows or none were to be imported."})
    sha256 = String(metadata={"description": "Of the file, in hexadecimal."})
    started_by = String(metadata={"description": "Id of an account, or what began it."})
    ignored_columns = List(String())
    read_rows = Integer(metadata={"description": "Rows that are read so far."})
    read_bytes = Integer(
        metadata={"description": "Bytes that are read so far, of `whole_bytes`: unpacked ones."}
    )
    whole_bytes = Integer(allow_none=True)
    total_rows = Integer(allow_none=True)
    processed_rows = Integer()
    progress = fields.Method("show_progress", metadata={"type": "integer", "maximum": 100})
    created = Integer()
    updated = Integer()
    unchanged = Integer()
    superseded = Integer(
        metadata={"description": "Rows that another row of their product stands for."}
    )
    errors = Integer(metadata={"description": "Rows that were not imported; see …/errors."})
    rows_per_second = fields.Method(
        "show_rate", metadata={"type": "integer", "description": "Since it was started."}
    )
    remaining_seconds = fields.Method(
        "show_remaining",
        metadata={"type": ["integer", "null"], "description": "At that rate; null while unknown."},
    )
    undo = String(
        metadata={"enum": ["", "queued", "running", "completed"],
                  "description": "Of undoing it; empty when nobody asked for it."}
    )  # fmt: skip
    undone = Integer(metadata={"description": "Products that were brought back."})
    conflicts = Integer(metadata={"description": "Products that could not be: see …/conflicts."})
    message = String(metadata={"description": "Why it failed."})
    created_at = Timestamp()
    started_at = Timestamp(allow_none=True)
    finished_at = Timestamp(allow_none=True)

    def show_rate(self, run: Any) -> int:
        """Rows a second: those written, or those read while it reads."""
        seconds = _seconds(run)
        done = run.processed_rows if run.phase != "reading" else run.read_rows
        return int(done / seconds) if seconds else 0

    def show_remaining(self, run: Any) -> int | None:
        """Seconds until it is done, if it goes on as it went."""
        if run.finished_at is not None or not run.total_rows or not run.processed_rows:
            return None
        left = run.total_rows - run.processed_rows
        return math.ceil(_seconds(run) * int(left) / int(run.processed_rows))

    def show_progress(self, run: Any) -> int:
        """Per cent; reading counts for nothing, because its end is not known."""
        if run.status == "completed":
            return 100
        return 100 * run.processed_rows // run.total_rows if run.total_rows else 0


def _seconds(run: Any) -> float:
    if run.started_at is None:
        return 0.0
    return float(((run.finished_at or now()) - run.started_at).total_seconds())


class BadRowSchema(Schema):
    """Why a row was not imported."""

    line = Integer(metadata={"description": "Line of the file on which the row begins."})
    column = String()
    value = String()
    reason = String()


class ConflictSchema(Schema):
    """A product that could not be brought back."""

    product = Uuid()
    reason = String()


class ConflictsSchema(Schema):
    """The products that could not be brought back."""

    conflicts = List(Nested(ConflictSchema), metadata={"description": "A thousand at most."})


class UploadSchema(Schema):
    """An upload that is sent in pieces."""

    id = Uuid()
    length = Integer(metadata={"description": "Bytes of the file."})
    offset = Integer(metadata={"description": "Bytes that are there."})
    created_at = Timestamp()
    expires_at = Timestamp()
    finished_at = Timestamp(
        allow_none=True, metadata={"description": "When the import of the same id began."}
    )
