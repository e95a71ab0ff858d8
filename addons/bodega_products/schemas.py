"""What the catalogue looks like outside."""

from typing import Any, ClassVar

from bodega_products.attributes import Attributes
from bodega_sdk.money import decimal_text
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
    of_columns,
    validate,
)

_SLUG = validate.Regexp(
    r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)", error="Lower-case letters, digits and single hyphens only."
)
_CURRENCY = validate.Regexp(
    r"^[A-Z]{3}$(?!\n)", error="Expected an ISO 4217 code such as EUR."
)  # fmt: skip
#: What one may weigh in grams, or measure in millimetres: a thousand tons, a kilometre.
_HEAVIEST, _LONGEST = 10**9, 10**6


def _measure(maximum: int) -> Integer:
    return Integer(minimum=0, maximum=maximum, allow_none=True, load_default=None)


class CategorySchema(Schema):
    """A group of products, in a tree."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Say which category is above by its id, and leave the count to the collection."""
        if attr == "parent":
            return None if obj.parent_id is None else str(obj.parent_id)
        if attr == "product_count":
            return 0
        return super().get_attribute(obj, attr, default)

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    slug = String(max_length=220, validate=_SLUG, metadata={"description": "Made when left out."})
    description = String(max_length=20_000, load_default="")
    parent = String(
        allow_none=True, load_default=None, max_length=220,
        metadata={"description": "Id or slug of the category above; shown as its id."},
    )  # fmt: skip
    position = Integer(
        minimum=-(2**31), maximum=2**31 - 1, load_default=0,
        metadata={"description": "Orders the categories below one parent."},
    )  # fmt: skip
    depth = Integer(dump_only=True, metadata={"description": "1 at the root."})
    image_url = Url(load_default="")
    meta_title = String(max_length=255, load_default="")
    meta_description = String(max_length=500, load_default="")
    is_active = Boolean(load_default=True)
    product_count = Integer(
        dump_only=True,
        metadata={"description": "Active products in it and in the categories below it."},
    )
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class BranchSchema(CategorySchema):
    """A category with those below it."""

    children = List(Dict(), dump_only=True, metadata={"description": "Categories like this."})


class TreeSchema(Schema):
    """All categories that the caller may see."""

    categories = List(Nested(BranchSchema), metadata={"description": "Those at the root."})


class OfProductSchema(Schema):
    """A form that a product comes in, as it stands in the product."""

    id = Uuid()
    sku = String()
    options = Dict(keys=String(), values=String())
    attributes = Dict()
    price = Amount(allow_none=True)
    own_price = Boolean()
    position = Integer()


class VariantSchema(Schema):
    """A form that a product comes in."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Say of what it is, and what it costs after all."""
        if attr == "product":
            return obj.product_id
        if attr == "price":
            return obj.price_of(obj.product)
        if attr == "currency":
            return obj.product.currency
        if attr == "attributes":
            return obj.attributes or {}
        return super().get_attribute(obj, "has_price" if attr == "own_price" else attr, default)

    id = Uuid(dump_only=True)
    product = Uuid(required=True, metadata={"description": "Of which product; stays so."})
    sku = String(
        max_length=100, strip=True, load_default="",
        metadata={"description": "Unique without regard to case, among products too."},
    )  # fmt: skip
    options = Dict(
        keys=String(min_length=1, max_length=255), values=String(max_length=255),
        load_default=dict, validate=validate.Length(max=10, error="At most 10 options."),
        metadata={"description": "What makes it differ; each once in a product."},
    )  # fmt: skip
    attributes = Attributes(load_default=dict)
    price = Amount(
        allow_none=True, load_default=None,
        metadata={"description": "Its own; the product's when null or left out."},
    )  # fmt: skip
    own_price = Boolean(dump_only=True)
    currency = String(dump_only=True)
    position = Integer(
        minimum=1, maximum=2**31 - 1, metadata={"description": "Behind the others, if left out."}
    )
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


def amount(minor: int | None, currency: str) -> str | None:
    """Return an amount as it is shown, None where there is none."""
    return None if minor is None else decimal_text(minor, currency)


class ProductSchema(Schema):
    """Something that is sold."""

    #: What would take a query for each row is left to the collection.
    made: ClassVar = {
        "price": of_columns(decimal_text, "price_minor", "currency"),
        "compare_at_price": of_columns(amount, "compare_at_minor", "currency"),
        "cost": of_columns(amount, "cost_minor", "currency"),
        "category": of_columns(lambda: None),
        "variants": of_columns(lambda: None),
        "tags": of_columns(lambda names: names or [], "tag_names"),
        "attributes": of_columns(lambda found: found or {}, "attributes"),
    }

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, max_length=255, strip=True)
    slug = String(max_length=255, validate=_SLUG, metadata={"description": "Made when left out."})
    sku = String(
        required=True, min_length=1, max_length=100, strip=True,
        metadata={"description": "Unique without regard to case, among variants too."},
    )  # fmt: skip
    description = String(max_length=100_000, load_default="")
    price = Amount(required=True)
    compare_at_price = Amount(allow_none=True, load_default=None)
    cost = Amount(
        allow_none=True,
        metadata={"description": "What the shop pays for it.", "permission": "products.read_cost"},
    )
    currency = String(
        validate=_CURRENCY,
        metadata={"description": "ISO 4217; the shop's currency when left out."},
    )
    category = String(
        allow_none=True, load_default=None, max_length=220,
        metadata={"description": "Slug of a category."},
    )  # fmt: skip
    tags = List(
        String(min_length=1, max_length=100, strip=True), load_default=list,
        validate=validate.Length(max=50, error="At most 50 tags."),
        metadata={"description": "Names of tags; those that are not there are made."},
    )  # fmt: skip
    attributes = Attributes(load_default=dict)
    image_url = Url(load_default="")
    is_active = Boolean(load_default=True)
    is_featured = Boolean(
        metadata={"description": "Whether it is shown at the front.",
                  "write_permission": "products.moderate"},
    )  # fmt: skip
    is_digital = Boolean(load_default=False)
    weight_grams = _measure(_HEAVIEST)
    length_millimetres = _measure(_LONGEST)
    width_millimetres = _measure(_LONGEST)
    height_millimetres = _measure(_LONGEST)
    meta_title = String(max_length=255, load_default="")
    meta_description = String(max_length=500, load_default="")
    popularity = Integer(dump_only=True)
    organization = Uuid(
        allow_none=True,
        metadata={"description": "Who sells it; the shop itself when null. Only who may change "
                  "the products of all can choose it."},
    )  # fmt: skip
    variants = List(Nested(OfProductSchema), dump_only=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class QuoteSchema(Schema):
    """What so many of a product cost."""

    sku = String()
    quantity = Integer()
    unit_price = Amount()
    total = Amount()
    currency = String()


class TagSchema(Schema):
    """A word that products are marked with."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Leave the count to the collection."""
        return 0 if attr == "product_count" else super().get_attribute(obj, attr, default)

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, max_length=100, strip=True)
    slug = String(dump_only=True)
    product_count = Integer(dump_only=True, metadata={"description": "Active products with it."})
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class TranslationSchema(Schema):
    """What something is called in another language."""

    language = String(dump_only=True)
    name = String(max_length=255, strip=True, load_default="")
    description = String(max_length=100_000, load_default="")
    slug = String(max_length=255, allow_none=True, load_default=None, validate=_SLUG)
    updated_at = Timestamp(dump_only=True)


class TranslationsSchema(Schema):
    """The translations that something has."""

    translations = List(Nested(TranslationSchema))


class PriceSchema(Schema):
    """What a product costs in another currency."""

    currency = String(dump_only=True)
    price = Amount(required=True)
    compare_at_price = Amount(allow_none=True, load_default=None)


class PricesSchema(Schema):
    """The prices of a product in further currencies."""

    prices = List(Nested(PriceSchema))


class BulkSchema(Schema):
    """Products to make or change at once."""

    atomic = Boolean(
        load_default=True,
        metadata={"description": "Whether one that is refused keeps all others back."},
    )
    products = List(
        Dict(), required=True,
        validate=validate.Length(min=1, max=1000, error="Send 1 to 1,000 products."),
        metadata={"description": "Each as for POST; with the id or SKU of one that is there, "
                  "as for PATCH."},
    )  # fmt: skip


class RowResultSchema(Schema):
    """What became of one of many."""

    index = Integer(metadata={"description": "Its place in what was sent, from 0."})
    status = String(metadata={"description": "created, updated or refused."})
    id = Uuid(allow_none=True)
    errors = List(Dict(), metadata={"description": "Why it was refused, field by field."})


class BulkResultSchema(Schema):
    """What became of many products."""

    created = Integer()
    updated = Integer()
    refused = Integer()
    rows = List(Nested(RowResultSchema))


class SelectionSchema(Schema):
    """Which products: by their ids, or by what a list is filtered by."""

    ids = List(
        Uuid(), validate=validate.Length(min=1, max=1000, error="Send 1 to 1,000 ids."),
    )  # fmt: skip
    filter = Dict(
        keys=String(max_length=100), values=String(max_length=1000),
        validate=validate.Length(min=1, max=30, error="Send 1 to 30 filters."),
        metadata={"description": "Filters of the list and their values, as texts."},
    )  # fmt: skip
    confirm = String(max_length=500, metadata={"description": "What a refusal has told."})


class SelectedSchema(Schema):
    """What became of products that were selected."""

    count = Integer(metadata={"description": "How many were changed."})
    missing = List(Uuid(), metadata={"description": "Ids that there are no products of."})
