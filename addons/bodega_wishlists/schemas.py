"""What wishlists look like outside."""

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
    Uuid,
)


class WishlistSchema(Schema):
    """A list of one's own."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    is_default = Boolean(
        metadata={"description": "Whether it takes what is wished for without naming a list. "
                  "Another one gives it up then; the first list is it."},
    )  # fmt: skip
    items = Integer(dump_only=True, minimum=0, metadata={"description": "How many it holds."})
    link = String(
        dump_only=True, allow_none=True, max_length=2000,
        metadata={"description": "Its public address; null while it is not shared."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class WishSchema(Schema):
    """Something on a list of one's own."""

    id = Uuid(dump_only=True)
    wishlist = Uuid(
        metadata={"description": "Id of a list of one's own; the default one when left out."}
    )
    product = Uuid(metadata={"description": "May be left out beside a variant."})
    variant = Uuid(allow_none=True)
    note = String(max_length=500, strip=True)
    name = String(dump_only=True, allow_none=True, metadata={"description": "Of the product."})
    options = Dict(keys=String(), values=String(), dump_only=True)
    price = Amount(
        dump_only=True, allow_none=True,
        metadata={"description": "Of today; null, as its currency, of what is not available."},
    )  # fmt: skip
    currency = String(dump_only=True, allow_none=True)
    available = Boolean(dump_only=True, metadata={"description": "Whether it is for sale."})
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class WishlistLinkSchema(Schema):
    """Where a list can be seen by whoever knows it."""

    token = String(required=True)
    url = String(required=True, max_length=2000)


class SharedWishSchema(Schema):
    """Something that somebody wishes for."""

    product = Uuid(required=True)
    variant = Uuid(required=True, allow_none=True)
    name = String(required=True, max_length=255)
    slug = String(required=True, max_length=255)
    options = Dict(keys=String(), values=String(), required=True)
    price = Amount(required=True)
    currency = String(required=True)


class SharedSchema(Schema):
    """A list as whoever has its link sees it; whose it is is not said."""

    name = String(required=True)
    items = List(Nested(SharedWishSchema), required=True)
