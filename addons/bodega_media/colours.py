"""Colours and orientation: every picture as a browser without any profile shows it right."""

from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps

#: Modes that hold 16 bits or more of grey.
_DEEP = ("I;16", "I")
_MANAGED = ("RGB", "RGBA", "L", "CMYK")


def plain(found: Image.Image) -> Image.Image:
    """Return a picture upright, as RGB or RGBA in sRGB, with nothing else in it.

    What it is made of is closed on the way, so that no more than two of them are in memory.
    """
    found.load()
    profile = found.info.get("icc_profile")
    # A broken EXIF block says nothing of the picture.
    with suppress(Exception):
        ImageOps.exif_transpose(found, in_place=True)
    made = found
    for step in (_eight_bits, _unfolded, lambda item: _in_srgb(item, profile), _without_alpha):
        before, made = made, step(made)
        if made is not before:
            before.close()
    made.info = {}
    return made


def _eight_bits(found: Image.Image) -> Image.Image:
    """Return deep grey as the usual grey; Pillow would cut it off at 255."""
    if found.mode not in _DEEP:
        return found
    return found.point(_high_byte).convert("L")


def _high_byte(value: Any) -> Any:
    # Pillow asks what it does to a scale, not to each pixel.
    return value * (1 / 256)


def _unfolded(found: Image.Image) -> Image.Image:
    """Return a picture without palette, its transparency as a channel."""
    if found.has_transparency_data and found.mode != "RGBA":
        return found.convert("RGBA")
    return found.convert("RGB") if found.mode == "P" else found


def _without_alpha(found: Image.Image) -> Image.Image:
    """Return a picture as RGB, or as RGBA where something can be seen through."""
    seen_through = found.mode == "RGBA" and found.getchannel("A").getextrema() != (255, 255)
    return found if found.mode == "RGB" or seen_through else found.convert("RGB")


def _in_srgb(found: Image.Image, profile: Any) -> Image.Image:
    if not profile or found.mode not in _MANAGED:
        return found
    # A profile that is broken, or of another kind of colours, is not followed.
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        given = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" not in ImageCms.getProfileDescription(given):
            mode = "RGBA" if found.mode == "RGBA" else "RGB"
            made = ImageCms.profileToProfile(
                found, given, ImageCms.createProfile("sRGB"), outputMode=mode
            )
            return made or found
    return found


def dominant(made: Image.Image) -> str:
    """Return the colour that most of a picture has, as ``#rrggbb``."""
    small = on_white(made.resize((48, 48), Image.Resampling.BOX))
    few = small.quantize(6)
    counts = few.histogram()
    index = counts.index(max(counts))
    palette = few.getpalette() or [0, 0, 0]
    red, green, blue = palette[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def on_white(made: Image.Image) -> Image.Image:
    """Return a picture without transparency."""
    if made.mode != "RGBA":
        return made.convert("RGB")
    ground = Image.new("RGB", made.size, "white")
    ground.paste(made, mask=made.getchannel("A"))
    return ground
