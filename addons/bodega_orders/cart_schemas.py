"""What carts look like outside."""

from bodega_orders.drafting import MOST
from bodega_orders.merging import STRATEGIES, SUM
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
    Uuid,
    validate,
)

_CURRENCY = validate.Regexp(r"[A-Z]{3}\Z", error="Expected an ISO 4217 code such as EUR.")
_COUNTRY = validate.Regexp(
    r"([A-Z]{2})?\Z", error="Expected two capital letters of ISO 3166-1, or nothing."
)


class DestinationSchema(Schema):
    """Where something is sent to, as far as taxes and shipping ask."""

    country = String(max_length=2, validate=_COUNTRY)
    region = String(strip=True)
    postal_code = String(max_length=20, strip=True)


class EntrySchema(Schema):
    """One line of the explanation; the amounts of all of them add up to the total."""

    kind = String(validate=validate.OneOf(("price", "discount", "shipping", "tax")))
    label = String(max_length=1000)
    amount = Amount(negative=True)
    item = Uuid(allow_none=True, metadata={"description": "Null when it is of the whole."})
    source = String(metadata={"description": "The addon that it comes from."})
    reference = String(max_length=500)
    included = Amount(
        allow_none=True, metadata={"description": "The tax, where it is part of the prices."}
    )


class ShippingOptionSchema(Schema):
    """A way to send it."""

    code = String()
    label = String()
    price = Amount()
    days = String()


class RefusedCodeSchema(Schema):
    """A code that gives nothing, and why."""

    code = String()
    reason = String(max_length=1000)


class QuoteSchema(Schema):
    """What it costs, and why."""

    currency = String()
    subtotal = Amount()
    discount = Amount()
    shipping = Amount(metadata={"description": "Before discounts."})
    tax = Amount()
    total = Amount()
    prices_include_tax = Boolean()
    entries = List(Nested(EntrySchema))
    shipping_options = List(Nested(ShippingOptionSchema))
    refused_codes = List(Nested(RefusedCodeSchema))
    problems = List(
        String(max_length=1000),
        metadata={"description": "Why it cannot be ordered as it is; none when it can."},
    )


class CartItemSchema(Schema):
    """Something in a cart, as it is now."""

    item = Uuid(
        dump_only=True,
        metadata={"description": "The variant's id, or the product's without one."},
    )
    product = Uuid(metadata={"description": "May be left out beside a variant."})
    variant = Uuid(allow_none=True, metadata={"description": "Of a product that has variants."})
    quantity = Integer(minimum=1, maximum=MOST, load_default=1)
    name = String(dump_only=True, allow_none=True, max_length=255)
    sku = String(dump_only=True, allow_none=True)
    slug = String(dump_only=True, allow_none=True, max_length=255)
    image_url = String(dump_only=True, allow_none=True, max_length=2000)
    options = Dict(keys=String(), values=String(), dump_only=True)
    available = Boolean(
        dump_only=True, metadata={"description": "Whether it can be bought at all."}
    )
    in_stock = Boolean(dump_only=True, metadata={"description": "Whether so many can be had now."})
    message = String(
        dump_only=True, max_length=1000,
        metadata={"description": "Why so many cannot be bought now; empty when they can."},
    )  # fmt: skip
    unit_price = Amount(dump_only=True, allow_none=True)
    former_price = Amount(
        dump_only=True, allow_none=True,
        metadata={"description": "What one cost when it was put in, if that has changed."},
    )  # fmt: skip
    subtotal = Amount(dump_only=True, allow_none=True)
    discount = Amount(dump_only=True, allow_none=True)
    tax = Amount(dump_only=True, allow_none=True)
    total = Amount(dump_only=True, allow_none=True)


class QuantitySchema(Schema):
    """How many of something."""

    quantity = Integer(required=True, minimum=1, maximum=MOST)


class CappedSchema(Schema):
    """What was not taken over as it should have been."""

    product = Uuid()
    variant = Uuid(allow_none=True)
    wanted = Integer()
    quantity = Integer(metadata={"description": "How many the cart holds now."})
    message = String(max_length=1000)


class MergedSchema(Schema):
    """What taking over a guest's cart did."""

    strategy = String(validate=validate.OneOf(STRATEGIES))
    taken = Integer(metadata={"description": "Things of the guest's cart that are in it now."})
    capped = List(Nested(CappedSchema))


class CartSchema(Schema):
    """What somebody is about to buy."""

    id = Uuid(dump_only=True)
    status = String(dump_only=True, validate=validate.OneOf(("open", "ordered", "merged")))
    token = String(
        dump_only=True, allow_none=True,
        metadata={"description": "What reaches a guest's cart, as Cart-Token; null of accounts."},
    )  # fmt: skip
    order = Uuid(dump_only=True, allow_none=True, metadata={"description": "What it became."})
    currency = String(
        max_length=3, validate=_CURRENCY,
        metadata={"description": "Of all its amounts; the shop's own unless it is said."},
    )  # fmt: skip
    email = Email(
        metadata={"description": "Of a guest who buys; an account's is its own, whatever is here."}
    )
    codes = List(
        String(max_length=50, strip=True), validate=validate.Length(max=100),
        metadata={"description": "For discounts; case does not matter."},
    )  # fmt: skip
    destination = Nested(DestinationSchema)
    shipping_method = String(
        max_length=50, metadata={"description": "Code of one of quote.shipping_options."}
    )
    items = List(Nested(CartItemSchema), dump_only=True)
    quote = Nested(QuoteSchema, dump_only=True)
    merged = Nested(
        MergedSchema, dump_only=True, allow_none=True,
        metadata={"description": "What was taken over from a guest's cart just now, if it was."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class MergeSchema(Schema):
    """How to merge."""

    strategy = String(
        validate=validate.OneOf(STRATEGIES), load_default=SUM,
        metadata={"description": "What becomes of what is in both: the sum, the larger quantity, "
                  "or that of the cart that it is merged into."},
    )  # fmt: skip
