"""What levels, movements and reservations look like outside."""

from bodega_inventory.items import LARGEST
from bodega_inventory.models import KINDS, STATUSES
from bodega_inventory.moving import SIGNS
from bodega_sdk.schemas import (
    Boolean,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
    validate,
)

_MOST = 2_000_000_000


def _told(text: str) -> dict[str, str]:
    return {"description": text}


class LevelSchema(Schema):
    """How much there is of a variant, or of a product that comes in one form."""

    id = Uuid(dump_only=True, metadata=_told("Of the variant, or of the product."))
    product = Uuid(required=True)
    variant = Uuid(allow_none=True, load_default=None)
    organization = Uuid(dump_only=True, metadata=_told("Whose it is; the shop's own when null."))
    name = String(dump_only=True, metadata=_told("The product's."))
    sku = String(dump_only=True)
    on_hand = Integer(dump_only=True, metadata=_told("Pieces on the shelf."))
    reserved = Integer(dump_only=True, metadata=_told("Pieces of them that are promised."))
    available = Integer(dump_only=True, metadata=_told("Pieces on hand and not promised."))
    low_stock_threshold = Integer(
        minimum=0, maximum=_MOST, allow_none=True, load_default=None,
        metadata=_told("Pieces at which it is low; the shop's setting when null."),
    )  # fmt: skip
    backorder = Boolean(
        load_default=False, metadata=_told("Whether more can be had than is there.")
    )
    backorder_limit = Integer(
        minimum=0, maximum=_MOST, allow_none=True, load_default=None,
        metadata=_told("How many more; without a limit when null."),
    )  # fmt: skip
    tracked = Boolean(
        load_default=True,
        metadata=_told("Whether it is counted: what is not can always be had."),
    )
    in_stock = Boolean(dump_only=True)
    low_stock = Boolean(dump_only=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class MovementSchema(Schema):
    """A line of the ledger."""

    id = Uuid()
    item = Uuid(metadata=_told("Id of the level: of the variant, or of the product."))
    product = Uuid()
    variant = Uuid(allow_none=True)
    organization = Uuid(allow_none=True)
    sku = String()
    kind = String(validate=validate.OneOf(KINDS))
    quantity = Integer(metadata=_told("What it changed of what is available."))
    available = Integer(metadata=_told("What was available behind it."))
    reason = String(max_length=500)
    reference = String()
    key = String(allow_none=True)
    actor = String(metadata=_told("Id of the account that did it; empty when the shop did."))
    created_at = Timestamp()


class MovedItemSchema(Schema):
    """So many pieces of an item."""

    product = Uuid(required=True)
    variant = Uuid(allow_none=True, load_default=None)
    quantity = Integer(
        required=True, minimum=-LARGEST, maximum=LARGEST,
        metadata=_told("Positive; an adjustment may be negative."),
    )  # fmt: skip


class MoveSchema(Schema):
    """What to move: all of it, or nothing."""

    kind = String(required=True, validate=validate.OneOf(tuple(SIGNS)))
    items = List(Nested(MovedItemSchema), required=True, validate=validate.Length(min=1, max=500))
    reason = String(max_length=500, load_default="", strip=True)
    reference = String(load_default="", metadata=_told("What it belongs to, e.g. a delivery."))
    key = String(
        min_length=1, allow_none=True, load_default=None,
        metadata=_told("Sent again with the same key, nothing is moved a second time."),
    )  # fmt: skip


class MovesSchema(Schema):
    """What was moved."""

    results = List(Nested(MovementSchema))


class ReservationSchema(Schema):
    """Pieces of one item that are promised."""

    id = Uuid()
    reference = String(metadata=_told("Lines of one reference are sold and released together."))
    item = Uuid(metadata=_told("Id of the level: of the variant, or of the product."))
    product = Uuid()
    variant = Uuid(allow_none=True)
    organization = Uuid(allow_none=True)
    sku = String()
    quantity = Integer()
    status = String(validate=validate.OneOf(STATUSES))
    actor = String()
    expires_at = Timestamp(metadata=_told("When it ends by itself while it is open."))
    created_at = Timestamp()
    closed_at = Timestamp(allow_none=True)
