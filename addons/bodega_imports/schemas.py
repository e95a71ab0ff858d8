"""What imports look like outside."""

from typing import Any

from marshmallow import fields

from bodega_sdk.schemas import Integer, List, Schema, String, Timestamp, Uuid


class ImportSchema(Schema):
    """An import."""

    id = Uuid()
    job_id = fields.Function(
        lambda run: str(run.id),
        metadata={"type": "string", "format": "uuid", "description": "The same as the id."},
    )
    filename = String()
    size = Integer(metadata={"description": "Bytes."})
    status = String(metadata={"enum": ["queued", "running", "completed", "failed", "parked"]})
    phase = String(metadata={"description": "reading or writing, while it runs."})
    format = String(metadata={"description": "bodega, shopify, woocommerce, magento or generic."})
    ignored_columns = List(String())
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
    message = String(metadata={"description": "Why it failed."})
    created_at = Timestamp()
    finished_at = Timestamp(allow_none=True)

    def show_progress(self, run: Any) -> int:
        """Per cent; reading counts for nothing, because its end is not known."""
        if run.status == "completed":
            return 100
        return 100 * run.processed_rows // run.total_rows if run.total_rows else 0


class BadRowSchema(Schema):
    """Why a row was not imported."""

    line = Integer(metadata={"description": "Line of the file on which the row begins."})
    column = String()
    value = String()
    reason = String()
