"""What notes look like outside."""

from bodega_sdk.schemas import Integer, Schema, String, Timestamp, Uuid


class NoteSchema(Schema):
    """A note."""

    id = Uuid(dump_only=True)
    title = String(required=True, min_length=1, strip=True)
    words = Integer(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
