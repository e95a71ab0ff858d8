"""``GET /media/{key}``: pictures in their sizes, to be kept by whoever got them."""

import re
from datetime import datetime

from bodega_media import addresses, sizes
from bodega_media.making import bytes_of
from bodega_media.models import Image
from bodega_media.sizes import Size
from bodega_sdk import PUBLIC, Reply, Request, Route, now
from bodega_sdk.errors import BadRequest, FieldError, NotFound, PermissionDenied

_KEY = re.compile(r"[0-9a-f]{64}")
_FOR_EVER = "public, max-age=31536000, immutable"


def serve(request: Request) -> Reply:
    """Answer with a picture in a size."""
    key, size = request.params["key"], Size.asked(request.query)
    ends = addresses.ends(key, size, request.query)
    if ends is None and not size.is_declared:
        raise _undeclared(size)
    media = _media(key, ends is not None)
    content, made = bytes_of(key, media, size)
    return Reply(content=content, media=made, headers={"Cache-Control": _kept(key, ends)})


def _media(key: str, signed: bool) -> str:
    """Return the media type of a picture that the caller may see."""
    rows = Image.select(Image.media, Image.is_private).where(Image.key == key)
    found = list(rows.order_by(Image.is_private).limit(1)) if _KEY.fullmatch(key) else []
    if not found:
        message = "There is no picture at this address."
        raise NotFound(message, [FieldError("key", message, key)])
    if found[0].is_private and not signed:
        raise PermissionDenied("This picture is private: it needs a signed address.")
    return str(found[0].media)


def _undeclared(size: Size) -> BadRequest:
    field = "quality" if size.quality is not None else "w" if size.width else "h"
    known = ", ".join(sizes.declared()) or "none"
    message = f"Only these sizes need no signature, in the shop's quality: {known}."
    return BadRequest(f"'{field}': {message}", [FieldError(field, message)])


def _kept(key: str, ends: datetime | None) -> str:
    if ends is None:
        return _FOR_EVER
    return f"private, max-age={max(0, int((ends - now()).total_seconds()))}"


ROUTE = Route(
    "GET", "/media/{key}", serve, PUBLIC, "Get a picture",
    description="In any of the declared sizes and formats; in others by a signed address, which "
    "`POST /media/images/{id}/links` makes. Made when first asked for. The picture of a key "
    "never changes.",
    parameters=(*sizes.PARAMETERS, *addresses.PARAMETERS), produces="image/*",
    path_types={"key": str},
)  # fmt: skip
