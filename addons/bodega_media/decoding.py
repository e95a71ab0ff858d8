"""Reading what claims to be a picture, and writing it anew with nothing else in it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bodega_media import colours, sniffing
from bodega_media.memory import most_pixels, reserved
from bodega_sdk.errors import FieldError, InvalidInput, Problem, invalid

#: Pixels of a side at most; JPEG ends soon behind it.
LONGEST_SIDE = 30_000
_QUALITY = 90
#: Whose pixels are exact, and stay so.
_LOSSLESS = ("PNG", "GIF")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was written anew, in a file.

    Args:
        path: where it is; whoever made it deletes it.
        key: the SHA-256 of its bytes, in hex.
        media: ``image/jpeg`` or ``image/png``.
        width, height: in pixels.
        bytes: of the file.
        colour: the one that most of it has, ``#rrggbb``.
    """

    path: Path
    key: str
    media: str
    width: int
    height: int
    bytes: int
    colour: str


def written_anew(source: Path, target: Path) -> Picture:
    """Read a file and write the picture in it anew: upright, sRGB, without any metadata.

    Of an animation it is the first frame. It takes its time; do it before the transaction.

    Raises:
        UnsupportedMedia: it is no picture that is accepted.
        InvalidInput: it is damaged, or has too many pixels.
        Unavailable: too many others are being worked on.
    """
    format, size = sniffing.looked_at(source)
    pixels = _checked(format, size)
    try:
        with reserved(pixels, format), Image.open(source, formats=[format]) as found:
            # The decoder's own opinion: what was looked at may lie.
            _checked(format, found.size)
            made = colours.plain(found)
            return _written(made, target, lossless=format in _LOSSLESS)
    except Problem:
        raise
    # Decoders stumble over broken files with whatever there is: OSError, SyntaxError,
    # struct.error, EOFError, ValueError, zlib.error …
    except Exception as error:
        raise _damaged() from error


def _checked(format: str, size: tuple[int, int]) -> int:
    """Return the pixels of a size that can be decoded."""
    width, height = size
    most = most_pixels(format)
    if width * height > most or max(size) > LONGEST_SIDE:
        raise invalid(
            "file", f"Must have at most {most // 1_000_000} megapixels as {format}, and "
            f"{LONGEST_SIDE:,} pixels a side.", f"{width} x {height}",
        )  # fmt: skip
    if width * height == 0:
        raise _damaged()
    return width * height


def _damaged() -> InvalidInput:
    message = "The picture is damaged, or its end is missing."
    return InvalidInput(f"'file': {message}", [FieldError("file", message)])


def _written(made: Image.Image, target: Path, *, lossless: bool) -> Picture:
    keeps = lossless or made.mode == "RGBA"
    # Both encoders write line by line; others would need the whole picture once more.
    if keeps:
        made.save(target, "PNG", compress_level=6)
    else:
        made.save(target, "JPEG", quality=_QUALITY)
    with target.open("rb") as file:
        key = hashlib.file_digest(file, "sha256").hexdigest()
    return Picture(
        target, key, "image/png" if keeps else "image/jpeg", made.width, made.height,
        target.stat().st_size, colours.dominant(made),
    )  # fmt: skip
