"""What coupons look like outside."""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import ClassVar

from bodega_coupons import terms
from bodega_coupons.codes import MOST, PATTERN
from bodega_coupons.models import KINDS, STATES, Coupon
from bodega_sdk.schemas import (
    Amount,
    Boolean,
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

_CODE = validate.Regexp(
    rf"^{PATTERN.pattern}\Z",
    error="Expected letters, digits, '-' and '_', beginning with a letter or digit.",
)
_CURRENCY = validate.Regexp(r"^[A-Z]{3}\Z", error="Expected an ISO 4217 code such as EUR.")
_SOME = validate.Length(max=200, error="At most 200 of them.")
#: Uses that can be counted.
_USES = 2**31 - 1
#: Codes that are looked at together, and things.
_CODES, _THINGS = 10, 100


class TermsSchema(Schema):
    """What coupons are for, and what they take off."""

    kind = String(required=True, validate=validate.OneOf(KINDS))
    percent = Amount(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Of kind percentage: 0.01 to 100, two decimals.",
            "example": "12.50",
        },
    )
    amount = Amount(
        allow_none=True,
        load_default=None,
        metadata={"description": "Of kind fixed_amount; what is left of it does not remain."},
    )
    currency = String(
        max_length=3,
        allow_none=True,
        load_default=None,
        validate=_CURRENCY,
        metadata={
            "description": "ISO 4217, of its amounts; then it is only for purchases in this "
            "currency. Null without amounts, for every currency."
        },
    )
    minimum_subtotal = Amount(
        allow_none=True,
        load_default=None,
        metadata={"description": "Least price of what it is for, before discounts."},
    )
    maximum_discount = Amount(
        allow_none=True,
        load_default=None,
        metadata={"description": "Of kind percentage: the most that it takes off."},
    )
    limit = Integer(
        minimum=1,
        maximum=_USES,
        allow_none=True,
        load_default=None,
        metadata={"description": "Orders that can use it, all customers together."},
    )
    limit_per_customer = Integer(
        minimum=1,
        maximum=_USES,
        allow_none=True,
        load_default=None,
        metadata={"description": "Orders that each account, or e-mail address, can use it for."},
    )
    valid_from = Timestamp(allow_none=True, load_default=None)
    valid_until = Timestamp(
        allow_none=True, load_default=None, metadata={"description": "From then on it is over."}
    )
    active = Boolean(load_default=True)
    categories = List(
        Uuid(),
        load_default=list,
        validate=_SOME,
        metadata={"description": "Only for products of these, and of categories below them."},
    )
    products = List(
        Uuid(),
        load_default=list,
        validate=_SOME,
        metadata={"description": "Only for these, and for those of the categories."},
    )
    first_order_only = Boolean(load_default=False)
    combinable = Boolean(
        load_default=False,
        metadata={"description": "Whether it can be used beside others that can be, too."},
    )
    description = String(
        max_length=500, strip=True, load_default="", metadata={"description": "For the shop."}
    )


def _percent_of(row: Coupon) -> str | None:
    return None if row.rate is None else str(Decimal(row.rate).scaleb(-2))


def _amount_of(column: str) -> Callable[[Coupon], str | None]:
    def amount(row: Coupon) -> str | None:
        minor = getattr(row, column)
        return None if minor is None else str(row.money(minor))

    return amount


class CouponSchema(TermsSchema):
    """A code that takes something off a purchase."""

    made: ClassVar = {
        "percent": _percent_of,
        "currency": lambda row: row.currency or None,
        **{name: _amount_of(column) for name, column in terms.AMOUNTS.items()},
        **{name: attrgetter(column) for name, column in terms.RENAMED.items()},
    }

    id = Uuid(dump_only=True)
    code = String(
        required=True, max_length=50, strip=True, validate=_CODE,
        metadata={"description": "Upper and lower case are the same."},
    )  # fmt: skip
    uses = Integer(dump_only=True, minimum=0, metadata={"description": "Orders that use it now."})
    batch = Uuid(
        dump_only=True, allow_none=True,
        metadata={"description": "Of those that were generated together."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class GenerationSchema(TermsSchema):
    """How many coupons, and on which terms."""

    count = Integer(required=True, minimum=1, maximum=MOST)
    prefix = String(
        max_length=20, strip=True, load_default="",
        validate=validate.Regexp(r"^([A-Za-z0-9][A-Za-z0-9_-]*)?\Z",
                                 error="Expected letters, digits, '-' and '_'."),
        metadata={"description": "What all codes begin with.", "example": "NEWS-"},
    )  # fmt: skip
    limit = Integer(
        minimum=1,
        maximum=_USES,
        allow_none=True,
        load_default=1,
        metadata={"description": "Orders that can use each of them."},
    )


class GeneratedSchema(Schema):
    """What was made."""

    batch = Uuid(required=True)
    count = Integer(required=True, minimum=1)
    codes = List(String(max_length=100), required=True)


class RedemptionSchema(Schema):
    """That an order used a coupon."""

    id = Uuid()
    coupon = Uuid(attribute="coupon_id")
    order = Uuid()
    number = String(metadata={"description": "What people call the order."})
    account = Uuid(allow_none=True)
    email = String(max_length=254, metadata={"description": "As it is counted."})
    amount = Amount(metadata={"description": "What came off the order."})
    currency = String()
    state = String(validate=validate.OneOf(STATES))
    created_at = Timestamp()
    updated_at = Timestamp()
    released_at = Timestamp(allow_none=True)


class ThingSchema(Schema):
    """So many of one thing."""

    product = Uuid(required=True)
    variant = Uuid(allow_none=True, load_default=None)
    quantity = Integer(minimum=1, maximum=1_000_000, load_default=1)


class WhereSchema(Schema):
    """Where something goes to."""

    country = String(
        max_length=2, load_default="",
        validate=validate.Regexp(r"^([A-Z]{2})?\Z", error="Expected two letters such as DE."),
        metadata={"description": "ISO 3166-1 alpha-2."},
    )  # fmt: skip
    region = String(max_length=100, strip=True, load_default="")
    postal_code = String(max_length=20, strip=True, load_default="")


class ValidationSchema(Schema):
    """Codes, and what they would be used for."""

    code = String(min_length=1, max_length=50, strip=True, metadata={"description": "One code."})
    codes = List(
        String(min_length=1, max_length=50, strip=True),
        load_default=list,
        validate=validate.Length(max=_CODES, error=f"At most {_CODES} codes."),
        metadata={"description": "Several, in the order in which they come off."},
    )
    items = List(
        Nested(ThingSchema),
        required=True,
        validate=validate.Length(min=1, max=_THINGS, error=f"1 to {_THINGS} things."),
    )
    currency = String(
        max_length=3, allow_none=True, load_default=None, validate=_CURRENCY,
        metadata={"description": "Of the items; the shop's when left out."},
    )  # fmt: skip
    email = Email(load_default="", metadata={"description": "A guest's, for limits by customer."})
    destination = Nested(WhereSchema, load_default=dict)


class VerdictSchema(Schema):
    """What one code would do."""

    code = String(required=True, max_length=50)
    valid = Boolean(required=True)
    reason = String(
        required=True, metadata={"description": "Why it gives nothing; empty when it does."}
    )
    label = String(required=True)
    discount = Amount(
        required=True,
        metadata={"description": "What it takes off; of shipping, once a method is chosen."},
    )
    free_shipping = Boolean(required=True)


class ValidatedSchema(Schema):
    """What codes would do."""

    valid = Boolean(required=True, metadata={"description": "Whether all of them give something."})
    currency = String(required=True)
    subtotal = Amount(required=True)
    discount = Amount(required=True, metadata={"description": "What the codes take off."})
    codes = List(Nested(VerdictSchema), required=True)
