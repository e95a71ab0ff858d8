"""What taxes and ways of shipping look like outside."""

from typing import ClassVar

from bodega_sdk.money import decimal_text
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Integer,
    List,
    Schema,
    String,
    Timestamp,
    Uuid,
    validate,
)

_COUNTRY = validate.Regexp(r"[A-Z]{2}\Z", error="Expected two capital letters of ISO 3166-1.")
_ANYWHERE = validate.Regexp(
    r"([A-Z]{2})?\Z", error="Expected two capital letters of ISO 3166-1, or nothing."
)
_CODE = validate.Regexp(
    r"[a-z0-9][a-z0-9_-]*\Z", error="Expected small letters, digits, dashes and underlines."
)
_CURRENCY = validate.Regexp(r"[A-Z]{3}\Z", error="Expected an ISO 4217 code such as EUR.")
_HEAVIEST = 1_000_000_000


class TaxRateSchema(Schema):
    """A tax of a place, on everything or on one category with all below it."""

    id = Uuid(dump_only=True)
    country = String(
        max_length=2, validate=_ANYWHERE, load_default="",
        metadata={"description": "ISO 3166-1; empty for everywhere."},
    )  # fmt: skip
    region = String(
        strip=True, load_default="",
        metadata={"description": "As addresses spell it, case does not matter; empty for the "
                  "whole country."},
    )  # fmt: skip
    category = Uuid(
        allow_none=True, load_default=None,
        metadata={"description": "Of products, with all categories below; null for all of them."},
    )  # fmt: skip
    rate = Integer(
        required=True, minimum=0, maximum=100_000,
        metadata={"description": "Hundredths of a percent: 1900 for 19 %.", "example": 1900},
    )  # fmt: skip
    label = String(required=True, min_length=1, max_length=100, strip=True)
    on_shipping = Boolean(
        load_default=True,
        metadata={"description": "Whether shipping there is taxed too; of rates without category."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class ShippingMethodSchema(Schema):
    """A way to send, at a price in one currency."""

    id = Uuid(dump_only=True)
    code = String(
        required=True, max_length=50, validate=_CODE,
        metadata={"description": "Once for each currency.", "example": "standard"},
    )  # fmt: skip
    label = String(required=True, min_length=1, max_length=100, strip=True)
    countries = List(
        String(max_length=2, validate=_COUNTRY), validate=validate.Length(max=250),
        load_default=list, metadata={"description": "ISO 3166-1; none for everywhere."},
    )  # fmt: skip
    currency = String(
        max_length=3, validate=_CURRENCY,
        metadata={"description": "Of its amounts; the shop's own unless it is said. Carts in "
                  "another currency are not offered it."},
    )  # fmt: skip
    price = Amount(required=True)
    free_from = Amount(
        allow_none=True, load_default=None,
        metadata={"description": "Free when the goods cost so much after discounts; null for "
                  "never."},
    )  # fmt: skip
    days = String(max_length=50, load_default="", metadata={"example": "2–4"})
    weight_from = Integer(
        allow_none=True, minimum=0, maximum=_HEAVIEST, load_default=None,
        metadata={"description": "Grams that the goods must weigh at least; null for any."},
    )  # fmt: skip
    weight_to = Integer(
        allow_none=True, minimum=0, maximum=_HEAVIEST, load_default=None,
        metadata={"description": "Grams that they may weigh at most; null for any."},
    )  # fmt: skip
    is_active = Boolean(load_default=True)
    position = Integer(
        minimum=-1_000_000, maximum=1_000_000, load_default=0,
        metadata={"description": "Orders those of one cart, the lowest first."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)

    made: ClassVar = {
        "price": lambda row: str(row.price),
        "free_from": lambda row: (
            None if row.free_from_minor is None else decimal_text(row.free_from_minor, row.currency)
        ),
    }
