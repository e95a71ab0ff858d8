"""What pictures look like outside."""

from bodega_media.sizes import FITS, FORMATS, LARGEST
from bodega_sdk.schemas import (
    Boolean,
    Dict,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
    validate,
)

_URL = {"description": "Where it is, as it is; null of a private one, which needs a link."}
_SIZES = {"description": "Where it is in each declared size, as WebP; empty of a private one."}


class ImageSchema(Schema):
    """A picture of a product."""

    id = Uuid(dump_only=True)
    product = Uuid(dump_only=True)
    variant = Uuid(allow_none=True, metadata={"description": "The variant that it shows."})
    url = String(dump_only=True, allow_none=True, metadata=_URL)
    sizes = Dict(keys=String(), values=String(), dump_only=True, metadata=_SIZES)
    alt = String(max_length=500, metadata={"description": "What it shows, in words."})
    is_primary = Boolean(metadata={"description": "One public picture of a product is."})
    is_private = Boolean(metadata={"description": "Whether it is shown by signed links only."})
    position = Integer(dump_only=True)
    media = String(dump_only=True)
    width = Integer(dump_only=True)
    height = Integer(dump_only=True)
    bytes = Integer(dump_only=True)
    hash = String(dump_only=True, attribute="key", metadata={"description": "SHA-256, in hex."})
    colour = String(dump_only=True, metadata={"description": "What most of it has, `#rrggbb`."})
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class WantedSchema(Schema):
    """A picture that a file names by its address."""

    id = Uuid()
    product = Uuid()
    url = String()
    alt = String()
    status = String(metadata={"enum": ["waiting", "fetched", "failed"]})
    reason = String(metadata={"description": "Why it could not be fetched, so far."})
    attempts = Integer()
    due_at = Timestamp(metadata={"description": "When it is fetched, while it is waiting."})
    image = Uuid(allow_none=True, metadata={"description": "The picture that it became."})
    created_at = Timestamp()
    updated_at = Timestamp()


class PrimarySchema(Schema):
    """The picture that a product is shown with in lists."""

    id = Uuid()
    url = String()
    sizes = Dict(keys=String(), values=String())
    alt = String()
    width = Integer()
    height = Integer()
    colour = String()


class ProductMediaSchema(Schema):
    """A product's pictures, shortly."""

    primary = Nested(PrimarySchema, allow_none=True, dump_only=True)
    count = Integer(dump_only=True, metadata={"description": "Public pictures."})


class OrderSchema(Schema):
    """The order that a product's pictures shall have."""

    product = Uuid(required=True)
    images = List(Uuid(), required=True, validate=validate.Length(max=500))


class OrderedSchema(Schema):
    """A product's pictures in their order."""

    results = List(Nested(ImageSchema))


class LinkSchema(Schema):
    """What a link shall show, and for how long."""

    w = Integer(minimum=1, maximum=LARGEST, allow_none=True, load_default=None)
    h = Integer(minimum=1, maximum=LARGEST, allow_none=True, load_default=None)
    fit = String(validate=validate.OneOf(FITS), load_default="contain")
    format = String(validate=validate.OneOf(["", *FORMATS]), load_default="")
    quality = Integer(minimum=1, maximum=100, allow_none=True, load_default=None)
    minutes = Integer(
        minimum=1, maximum=525_600, allow_none=True, load_default=None,
        metadata={"description": "That it is good; the shop's setting when left out."},
    )  # fmt: skip


class MadeLinkSchema(Schema):
    """An address that ends."""

    url = String()
    expires_at = Timestamp()
