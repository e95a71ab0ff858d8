"""What sprouts look like outside."""

from bodega_sdk.schemas import Boolean, Integer, Schema, String, Timestamp, Uuid


class SproutSchema(Schema):
    """A sprout."""

    id = Uuid(dump_only=True)
    bed = String(required=True, min_length=1, max_length=100)
    height = Integer(required=True)
    note = String(load_default="", max_length=200)
    watered = Boolean(dump_only=True)
    code = String(dump_only=True)
    created_at = Timestamp(dump_only=True)
