"""What orders look like outside, and what is sent to place one."""

from typing import Any, ClassVar

from bodega_accounts import api as accounts
from bodega_orders import showing, statuses
from bodega_orders.cart_schemas import EntrySchema
from bodega_sdk.money import decimal_text
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Dict,
    Email,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Url,
    Uuid,
    of_columns,
    validate,
)

_FOR_STAFF = {"permission": "orders.read_all"}
_AMOUNTS = ("subtotal", "discount", "shipping", "tax", "total", "captured", "refunded")


class ThingSchema(Schema):
    """So many of one thing."""

    product = Uuid(required=True)
    variant = Uuid(
        allow_none=True, load_default=None,
        metadata={"description": "Where a product comes in variants, one of them."},
    )  # fmt: skip
    quantity = Integer(minimum=1, maximum=1_000_000, load_default=1)


class OrderingSchema(Schema):
    """What somebody wants to order: a cart, or things that are named."""

    cart = Uuid(metadata={"description": "One's own cart, or the one whose token is sent."})
    items = List(
        Nested(ThingSchema), validate=validate.Length(min=1, max=1000),
        metadata={"description": "In place of a cart; the same thing twice is added up."},
    )  # fmt: skip
    currency = String(
        max_length=3, validate=validate.Regexp(r"[A-Z]{3}$", error="Expected a code such as EUR."),
        metadata={"description": "Of the prices, without a cart; the shop's when left out."},
    )  # fmt: skip
    email = Email(metadata={"description": "Of a guest. An account's own is taken otherwise."})
    shipping_address = Nested(accounts.PostalAddressSchema)
    shipping_address_id = Uuid(metadata={"description": "Out of the account's address book."})
    billing_address = Nested(
        accounts.PostalAddressSchema,
        metadata={"description": "Where it is sent to, when left out."},
    )
    billing_address_id = Uuid()
    codes = List(
        String(min_length=1, max_length=50), validate=validate.Length(max=20),
        metadata={"description": "For discounts; the cart's when left out."},
    )  # fmt: skip
    shipping_method = String(
        max_length=50, metadata={"description": "Its code; the cart's when left out."}
    )
    note = String(max_length=2000, strip=True, load_default="")
    expected_total = Amount(
        metadata={"description": "What the customer saw; another total is a 409 then."}
    )


class LineSchema(Schema):
    """So many of one thing, as it was ordered."""

    id = Uuid()
    product = Uuid()
    variant = Uuid(allow_none=True)
    sku = String()
    name = String(max_length=500)
    options = Dict(keys=String(), values=String())
    quantity = Integer(minimum=1)
    returned = Integer(minimum=0)
    digital = Boolean()
    unit_price = Amount()
    discount = Amount()
    tax = Amount()
    total = Amount(metadata={"description": "With its discount, and its tax; without shipping."})


class DiscountSchema(Schema):
    """What came off."""

    source = String(metadata={"description": "The addon that gave it."})
    reference = String()
    label = String()
    amount = Amount()


class OrderSchema(Schema):
    """A purchase. What was bought for how much never changes; only staff write anything."""

    made: ClassVar = {
        "lines": lambda order: None,
        "discounts": showing.discounts,
        "entries": showing.entries,
        **{name: of_columns(decimal_text, name, "currency") for name in _AMOUNTS},
    }
    id = Uuid(dump_only=True)
    number = String(dump_only=True, max_length=20)
    status = String(dump_only=True, validate=validate.OneOf(statuses.STATUSES))
    payment_status = String(dump_only=True, validate=validate.OneOf(statuses.PAYMENT_STATUSES))
    account = Uuid(dump_only=True, allow_none=True)
    email = Email(dump_only=True)
    currency = String(dump_only=True, max_length=3)
    subtotal = Amount(dump_only=True)
    discount = Amount(dump_only=True)
    shipping = Amount(dump_only=True)
    tax = Amount(dump_only=True)
    total = Amount(dump_only=True)
    captured = Amount(dump_only=True)
    refunded = Amount(dump_only=True)
    prices_include_tax = Boolean(dump_only=True)
    lines = Nested(LineSchema, many=True, dump_only=True)
    discounts = Nested(DiscountSchema, many=True, dump_only=True)
    entries = Nested(EntrySchema, many=True, dump_only=True)
    codes = List(String(), dump_only=True)
    shipping_method = String(dump_only=True)
    shipping_address = Dict(keys=String(), values=String(), dump_only=True)
    billing_address = Dict(keys=String(), values=String(), dump_only=True)
    note = String(dump_only=True, max_length=2000)
    staff_note = String(max_length=2000, strip=True, metadata=_FOR_STAFF)
    tracking_number = String(max_length=100, strip=True)
    carrier = String(max_length=100, strip=True)
    tracking_url = Url()
    cancel_reason = String(dump_only=True, max_length=500)
    expires_at = Timestamp(
        dump_only=True, allow_none=True,
        metadata={"description": "Until when a pending order can be paid for."},
    )  # fmt: skip
    confirmed_at = Timestamp(dump_only=True, allow_none=True)
    paid_at = Timestamp(dump_only=True, allow_none=True)
    processing_at = Timestamp(dump_only=True, allow_none=True)
    shipped_at = Timestamp(dump_only=True, allow_none=True)
    delivered_at = Timestamp(dump_only=True, allow_none=True)
    cancelled_at = Timestamp(dump_only=True, allow_none=True)
    refunded_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class CancellationSchema(Schema):
    """Why an order is cancelled."""

    reason = String(max_length=500, strip=True, load_default="")


class ShipmentSchema(Schema):
    """How an order is sent; what was written down before counts where something is left out."""

    tracking_number = String(max_length=100, strip=True, load_default="")
    carrier = String(max_length=100, strip=True, load_default="")
    tracking_url = Url(load_default="")
    note = String(max_length=2000, strip=True, load_default="")


class NoteSchema(Schema):
    """Something to be remembered of an order."""

    note = String(required=True, min_length=1, max_length=2000, strip=True)
    visible = Boolean(
        load_default=True, metadata={"description": "Whether the customer may read it."}
    )


class HistorySchema(Schema):
    """Something that happened to an order."""

    id = Uuid()
    status = String(metadata={"description": "What it became; empty for a note."})
    note = String(max_length=2000)
    role = String(validate=validate.OneOf(statuses.ACTORS))
    account = String(
        max_length=36, metadata=_FOR_STAFF | {"description": "Who did it; staff see it."}
    )
    visible = Boolean()
    created_at = Timestamp()


class SoldLineSchema(Schema):
    """What was ordered of an organization's products."""

    made: ClassVar[Any] = {
        name: (lambda row, name=name: showing.line_amount(row, name))
        for name in ("unit_price", "discount", "tax", "total")
    } | {
        "number": lambda row: row.order.number,
        "status": lambda row: row.order.status,
        "currency": lambda row: row.order.currency,
        "ship_to": showing.ship_to,
        "order": lambda row: str(row.order.id),
    }
    id = Uuid(dump_only=True)
    order = Uuid(dump_only=True)
    number = String(dump_only=True)
    status = String(dump_only=True, validate=validate.OneOf(statuses.STATUSES))
    organization = Uuid(dump_only=True, allow_none=True)
    product = Uuid(dump_only=True)
    variant = Uuid(dump_only=True, allow_none=True)
    sku = String(dump_only=True)
    name = String(dump_only=True, max_length=500)
    options = Dict(keys=String(), values=String(), dump_only=True)
    quantity = Integer(dump_only=True)
    returned = Integer(dump_only=True)
    currency = String(dump_only=True)
    unit_price = Amount(dump_only=True)
    discount = Amount(dump_only=True)
    tax = Amount(dump_only=True)
    total = Amount(dump_only=True)
    ship_to = Dict(
        keys=String(), values=String(), dump_only=True, allow_none=True,
        metadata={"description": "Where it goes, while it is to be sent."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)
