"""Making a size of a picture when it is first asked for: once, however many ask."""

import time
from datetime import timedelta
from io import BytesIO

from PIL import Image as Pillow

from bodega_media import colours
from bodega_media.choosing import storage
from bodega_media.memory import reserved
from bodega_media.models import Making
from bodega_media.sizes import BY_MEDIA, FORMATS, LARGEST, Size, original
from bodega_media.storage import Missing
from bodega_sdk import now, setting, transaction, uuid7
from bodega_sdk.errors import NotFound, Unavailable

#: Seconds that making one may take before others try, and that a request waits for another's.
LEASE, PATIENCE = 60, 20.0
_NAP, _CLAIMS = 0.05, 20


def bytes_of(key: str, media: str, size: Size) -> tuple[bytes, str]:
    """Return a picture in a size, and its media type.

    Raises:
        NotFound: the picture's file is lost.
        Unavailable: another makes it, and does not come to an end.
    """
    if size.plain:
        return _original(key, media), media
    format = size.format or BY_MEDIA[media]
    name = size.name(key, format)
    try:
        return storage().get(name), FORMATS[format][1]
    except Missing:
        return _first(key, media, size, name), FORMATS[format][1]


def _original(key: str, media: str) -> bytes:
    try:
        return storage().get(original(key, media))
    except Missing:
        raise NotFound("The file of this picture is lost.") from None


def _first(key: str, media: str, size: Size, name: str) -> bytes:
    """Make a size, or wait for whoever does."""
    end, turn = time.monotonic() + PATIENCE, 0
    while time.monotonic() < end:
        # Claims are written; in between it is enough to look.
        token = _claimed(name) if turn % _CLAIMS == 0 else None
        try:
            return storage().get(name)
        except Missing:
            if token is not None:
                return _made(key, media, size, name, token)
        finally:
            if token is not None:
                _release(name, token)
        turn += 1
        time.sleep(_NAP)
    raise Unavailable("This size of the picture is still being made.", retry_after=2)


def _claimed(name: str) -> str | None:
    """Claim to make a size; None when somebody else does."""
    token, moment = uuid7().hex, now()
    with transaction():
        Making.delete().where(Making.name == name, Making.until < moment).execute()
        Making.insert(
            name=name, token=token, until=moment + timedelta(seconds=LEASE)
        ).on_conflict_ignore().execute()
        # None when whoever had it is done just now.
        claim = Making.get_or_none(Making.name == name)
        return token if claim is not None and claim.token == token else None


def _release(name: str, token: str) -> None:
    with transaction():
        Making.delete().where(Making.name == name, Making.token == token).execute()


def _made(key: str, media: str, size: Size, name: str, token: str) -> bytes:
    format, type = FORMATS[size.format or BY_MEDIA[media]]
    data = drawn(_original(key, media), size, format, size.quality or setting("media.quality"))
    storage().put(name, BytesIO(data), type)
    return data


def drawn(data: bytes, size: Size, format: str, quality: int) -> bytes:
    """Return a picture in a size, written as one of Pillow's formats."""
    with Pillow.open(BytesIO(data), formats=("JPEG", "PNG")) as found:
        box, target = fitted(found.size, size)
        target = _bounded(target)
        # A JPEG can be read at a half, a quarter or an eighth of its size at once.
        whole = found.size
        found.draft(None, (target[0] * 2, target[1] * 2))
        pixels = found.width * found.height + target[0] * target[1]
        with reserved(pixels, found.format or "PNG"):
            scale = (found.width / whole[0], found.height / whole[1])
            left, top, right, bottom = box
            part = (left * scale[0], top * scale[1], right * scale[0], bottom * scale[1])
            small = found.resize(target, Pillow.Resampling.LANCZOS, part, reducing_gap=3.0)
            return _encoded(small, format, quality)


def fitted(
    whole: tuple[int, int], size: Size
) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
    """Return which part of a picture is shown, and how large; never larger than it is."""
    width, height = whole
    wide, high = size.width or width, size.height or height
    if size.fit != "cover":
        scale = min(wide / width, high / height, 1.0)
        return (0, 0, width, height), (max(1, round(width * scale)), max(1, round(height * scale)))
    scale = min(max(wide / width, high / height), 1.0)
    shown = (min(width, wide / scale), min(height, high / scale))
    if scale == 1.0:
        # It is too small for the box: the box shrinks, and keeps its shape.
        shrink = min(width / wide, height / high, 1.0)
        shown = (wide * shrink, high * shrink)
    left, top = (width - shown[0]) / 2, (height - shown[1]) / 2
    target = (max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale)))
    return (left, top, left + shown[0], top + shown[1]), target


def _bounded(target: tuple[int, int]) -> tuple[int, int]:
    """Return a size that can be made for anybody; WebP knows no side above 16,383 at all."""
    scale = min(1.0, LARGEST / max(target))
    width, height = (max(1, round(side * scale)) for side in target)
    return width, height


def _encoded(small: Pillow.Image, format: str, quality: int) -> bytes:
    made, target = small if format != "JPEG" else colours.on_white(small), BytesIO()
    options = {"speed": 8} if format == "AVIF" else {}
    made.save(target, format, quality=quality, **options)
    return target.getvalue()
