"""What lending looks like outside."""

from bodega_sdk.schemas import Boolean, Integer, Schema, String, Timestamp, Uuid


class OfferSchema(Schema):
    """A product that is lent out."""

    id = Uuid(dump_only=True)
    product = Uuid(required=True, metadata={"description": "Id of the product."})
    days = Integer(minimum=1, maximum=365, load_default=14)
    is_open = Boolean(load_default=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class LoanSchema(Schema):
    """Who has borrowed what, and until when."""

    id = Uuid(dump_only=True)
    offer = Uuid(required=True, attribute="offer_id", metadata={"description": "Id of the offer."})
    borrower = String(required=True, min_length=1, max_length=120, strip=True)
    ticket = String(dump_only=True)
    due_at = Timestamp(dump_only=True)
    returned_at = Timestamp(dump_only=True, allow_none=True)
    reminded_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)


class WearSchema(Schema):
    """What lending knows of a product."""

    worn = Integer(minimum=0, maximum=100, metadata={"description": "In per cent; 0 is new."})
