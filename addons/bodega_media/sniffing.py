"""Looking at a file's first bytes: what it is, and how large, before any decoder sees it."""

from pathlib import Path

from PIL import Image, features

from bodega_sdk.errors import FieldError, UnsupportedMedia, invalid

_HEAD = 4096
_MAGIC = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"GIF87a", "GIF"),
          (b"GIF89a", "GIF"))  # fmt: skip
_AVIF = (b"avif", b"avis")
#: What is accepted, in words.
ACCEPTED = "JPEG, PNG, WebP, GIF" + (" or AVIF" if features.check("avif") else "")


def looked_at(path: Path) -> tuple[str, tuple[int, int]]:
    """Return Pillow's name of a file's format, and its size in pixels; nothing is decoded.

    Raises:
        UnsupportedMedia: it is none of the formats that are accepted.
        InvalidInput: it is one of them, but damaged.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    format = _format(head)
    # Pillow's reader of WebP makes room for the whole picture as soon as it opens one.
    size = _webp_size(head) if format == "WEBP" else _size(path, format)
    return format, size


def _format(head: bytes) -> str:
    for magic, format in _MAGIC:
        if head.startswith(magic):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF and features.check("avif"):
        return "AVIF"
    raise _refused(head)


def _refused(head: bytes) -> UnsupportedMedia:
    text = head.lower()
    message = f"Expected a picture: {ACCEPTED}."
    if b"<svg" in text or (text.lstrip().startswith(b"<?xml") and b"svg" in text):
        message = "SVG is not accepted, for it can hold scripts; send it as PNG or WebP."
    return UnsupportedMedia(f"'file': {message}", [FieldError("file", message)])


def _size(path: Path, format: str) -> tuple[int, int]:
    try:
        with Image.open(path, formats=[format]) as found:
            return found.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Pillow's own limits, beyond ours; they do not tell the size.
        raise invalid("file", "Has far too many pixels.") from None
    except Exception as error:
        raise invalid("file", "The picture is damaged, or its end is missing.") from error


def _webp_size(head: bytes) -> tuple[int, int]:
    """Read the size from the first chunk (RFC 9649)."""
    kind, data = head[12:16], head[20:30]
    if len(data) < 10:
        raise invalid("file", "The picture is damaged, or its end is missing.")
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
    return width & 0x3FFF, height & 0x3FFF
