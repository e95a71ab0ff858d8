"""What returns look like outside."""

from bodega_orders.models import RETURN_STATUSES
from bodega_sdk.schemas import (
    Amount,
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

_SOME = validate.Length(min=1, max=1000)


class WantedLineSchema(Schema):
    """Pieces of one line."""

    line = Uuid(required=True, metadata={"description": "Id of a line of the order."})
    quantity = Integer(required=True, minimum=1, maximum=1_000_000)


class RequestSchema(Schema):
    """What somebody wants to send back."""

    lines = List(Nested(WantedLineSchema), required=True, validate=_SOME)
    reason = String(required=True, min_length=1, max_length=1000, strip=True)


class AnswerSchema(Schema):
    """What the shop says to it."""

    answer = String(max_length=1000, strip=True, load_default="")


class ArrivedLineSchema(Schema):
    """What came back of one line."""

    line = Uuid(required=True)
    quantity = Integer(required=True, minimum=0, maximum=1_000_000)
    restock = Boolean(
        allow_none=True, load_default=None,
        metadata={"description": "Whether it can be sold again; what is not digital can, if "
                  "nothing is said."},
    )  # fmt: skip


class ArrivalSchema(Schema):
    """What came back; all that was agreed to without lines."""

    lines = List(Nested(ArrivedLineSchema), load_default=list, validate=validate.Length(max=1000))


class ReturnLineSchema(Schema):
    """Pieces of one line in a return."""

    line = Uuid()
    sku = String()
    name = String(max_length=500)
    quantity = Integer(minimum=1)
    received = Integer(minimum=0)
    restocked = Boolean()


class ReturnSchema(Schema):
    """Things that come back, or shall."""

    id = Uuid(dump_only=True)
    order = Uuid(dump_only=True, attribute="order_id")
    number = String(dump_only=True)
    status = String(dump_only=True, validate=validate.OneOf(RETURN_STATUSES))
    reason = String(dump_only=True, max_length=1000)
    answer = String(dump_only=True, max_length=1000)
    lines = List(Nested(ReturnLineSchema), dump_only=True)
    amount = Amount(
        dump_only=True, metadata={"description": "What came back was paid with; 0 before."}
    )
    currency = String(dump_only=True)
    decided_at = Timestamp(dump_only=True, allow_none=True)
    received_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)
