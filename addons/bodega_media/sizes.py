"""Sizes: what can be made of a picture, how it is asked for, and who may ask for what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import features

from bodega_sdk import Parameter, setting

#: Pixels of a side at most.
LARGEST = 4096
FITS = ("contain", "cover")
#: Format → Pillow's name, media type.
FORMATS: Mapping[str, tuple[str, str]] = {
    "jpeg": ("JPEG", "image/jpeg"),
    "png": ("PNG", "image/png"),
    "webp": ("WEBP", "image/webp"),
} | ({"avif": ("AVIF", "image/avif")} if features.check("avif") else {})
BY_MEDIA = {media: name for name, (_, media) in FORMATS.items()}
_SIZE = re.compile(r"([1-9][0-9]{0,3})?(?:x([1-9][0-9]{0,3}))?")

PARAMETERS = (
    Parameter("w", int, "Width in pixels at most.", minimum=1, maximum=LARGEST),
    Parameter("h", int, "Height in pixels at most.", minimum=1, maximum=LARGEST),
    Parameter(
        "fit", str, "`contain` keeps all of the picture, `cover` fills the box and cuts off.",
        choices=FITS,
    ),
    Parameter("format", str, "What to make of it; as it is when left out.", choices=(*FORMATS,)),
    Parameter("quality", int, "Of JPEG, WebP and AVIF.", minimum=1, maximum=100),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """What is wanted of a picture; without anything it is the picture as it is.

    Args:
        width, height: of the box that it must fit in, in pixels; None for any.
        fit: ``contain``, or ``cover`` to fill the box. A picture is never made larger.
        format: one of :data:`FORMATS`; as it is when empty.
        quality: 1 to 100; the shop's when None.
    """

    width: int | None = None
    height: int | None = None
    fit: str = "contain"
    format: str = ""
    quality: int | None = None

    @classmethod
    def asked(cls, query: Mapping[str, Any]) -> "Size":
        """Return what checked parameters ask for; what makes no difference is left out."""
        width, height = query.get("w"), query.get("h")
        boxed = width is not None and height is not None
        fit = query.get("fit", "contain") if boxed else "contain"
        return cls(width, height, fit, query.get("format", ""), query.get("quality"))

    @property
    def plain(self) -> bool:
        """Whether nothing is to be made."""
        return self == Size()

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that ask for it, always in the same order."""
        found = {
            "w": self.width, "h": self.height, "fit": self.fit if self.fit != "contain" else None,
            "format": self.format or None, "quality": self.quality,
        }  # fmt: skip
        return {name: str(value) for name, value in found.items() if value is not None}

    @property
    def is_declared(self) -> bool:
        """Whether anybody may ask for it: the operator declared it, in any format."""
        if self.quality is not None:
            return False
        box = (self.width, self.height)
        return box == (None, None) or box in declared().values()

    def name(self, key: str, format: str) -> str:
        """Return under which name the storage keeps it."""
        quality = self.quality or setting("media.quality")
        box = f"{self.width or ''}x{self.height or ''}"
        return f"{folder_of(key)}{box}-{self.fit}-{quality}.{format}"


def folder_of(key: str) -> str:
    """Return below which the storage keeps the sizes of a picture."""
    return f"sizes/{key[:2]}/{key}/"


def original(key: str, media: str) -> str:
    """Return under which name the storage keeps a picture."""
    return f"objects/{key[:2]}/{key}.{BY_MEDIA[media]}"


def declared() -> dict[str, tuple[int | None, int | None]]:
    """Return the sizes that anybody may ask for, by how the operator writes them."""
    return dict(_boxes(setting("media.sizes")))


@lru_cache(maxsize=16)
def _boxes(text: str) -> Mapping[str, tuple[int | None, int | None]]:
    return {word: box for word in text.split() if (box := read_box(word)) is not None}


def read_box(word: str) -> tuple[int | None, int | None] | None:
    """Read ``640``, ``x480`` or ``320x320``; None when it is none of these."""
    found = _SIZE.fullmatch(word)
    if found is None or not word:
        return None
    width, height = (int(side) if side else None for side in found.groups())
    if max(width or 0, height or 0) > LARGEST:
        return None
    return width, height
