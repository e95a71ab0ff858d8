"""What the catalogue looks like outside."""

from typing import Any

from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Dict,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Url,
    Uuid,
    validate,
)

_SLUG = validate.Regexp(
    r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)", error="Lower-case letters, digits and single hyphens only."
)


class CategorySchema(Schema):
    """A group of products."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    slug = String(max_length=220, validate=_SLUG, metadata={"description": "Made when left out."})
    description = String(max_length=20_000, load_default="")
    is_active = Boolean(load_default=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class VariantSchema(Schema):
    """A form that a product comes in."""

    id = Uuid()
    sku = String()
    options = Dict(keys=String(), values=String())
    price = Amount()
    position = Integer()


class ProductSchema(Schema):
    """Something that is sold."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Leave to the collection what would take a query for each row."""
        if attr in ("category", "variants"):
            return None
        return super().get_attribute(obj, attr, default)

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, max_length=255, strip=True)
    slug = String(max_length=255, validate=_SLUG, metadata={"description": "Made when left out."})
    sku = String(
        required=True, min_length=1, max_length=100, strip=True,
        metadata={"description": "Unique without regard to case."},
    )  # fmt: skip
    description = String(max_length=100_000, load_default="")
    price = Amount(required=True)
    compare_at_price = Amount(allow_none=True, load_default=None)
    currency = String(
        validate=validate.Regexp(
            r"^[A-Z]{3}$(?!\n)", error="Expected an ISO 4217 code such as EUR."
        ),
        metadata={"description": "ISO 4217; the shop's currency when left out."},
    )
    category = String(
        allow_none=True, load_default=None, max_length=220,
        metadata={"description": "Slug of a category."},
    )  # fmt: skip
    image_url = Url(load_default="")
    is_active = Boolean(load_default=True)
    is_featured = Boolean(load_default=False)
    organization = Uuid(
        allow_none=True,
        metadata={"description": "Who sells it; the shop itself when null. Only who may change "
                  "the products of all can choose it."},
    )  # fmt: skip
    variants = List(Nested(VariantSchema), dump_only=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class QuoteSchema(Schema):
    """What so many of a product cost."""

    sku = String()
    quantity = Integer()
    unit_price = Amount()
    total = Amount()
    currency = String()
