"""Text made comparable: slugs, SKU keys, and what a search looks into."""

import json
import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2s
from uuid import UUID

from bodega_sdk.schemas import Uuid, ValidationError

_UUID = Uuid()
_NOT_WORD = re.compile(r"[^a-z0-9]+")
# Marks of Latin, Greek and Cyrillic; where there are others, each character is asked.
_MARKS, _FURTHER = re.compile("[\u0300-\u034e\u0350-\u036f]+"), re.compile("[^\0-\u0482]")
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "œ": "oe"})


def fold(text: str) -> str:
    """Return text without case and accents: ``"Crème"`` and ``"CREME"`` become one."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFKD", lowered.translate(_LETTERS))
    if not _FURTHER.search(decomposed):
        return _MARKS.sub("", decomposed)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def slugify(text: str, longest: int = 200) -> str:
    """Return a slug of ASCII letters, digits and hyphens; ``"item"`` when nothing is left."""
    return _NOT_WORD.sub("-", fold(text)).strip("-")[:longest].rstrip("-") or "item"


def slug_for(name: str, key: str) -> str:
    """Return a slug that needs no look-up to be unique: the name and a hash of the SKU key."""
    return f"{slugify(name)}-{blake2s(key.encode(), digest_size=5).hexdigest()}"


def sku_key(sku: str) -> str:
    """Return the form in which SKUs are compared: case makes no difference."""
    return sku.strip().casefold()


def search_text(name: str, sku: str) -> str:
    """Return what a search for a product looks into."""
    return fold(f"{name} {sku}")


def tag_slug(name: str) -> str:
    """Return the slug of a tag: two tags are one when they have the same.

    Of a name without Latin letters it is a digest.
    """
    folded = " ".join(fold(name).split())
    if _NOT_WORD.sub("", folded):
        return slugify(folded, 100)
    return f"tag-{blake2s(folded.encode(), digest_size=8).hexdigest()}"


def read_id(text: object) -> UUID | None:
    """Return the UUID that a text is; None when it is none."""
    try:
        found: UUID = _UUID.deserialize(text)
    except ValidationError:
        return None
    return found


def options_key(options: Mapping[str, str]) -> str:
    """Return a digest of options: neither their order nor case makes a difference."""
    pairs = sorted((str(k).casefold(), str(v).casefold()) for k, v in options.items())
    return blake2s(json.dumps(pairs).encode(), digest_size=20).hexdigest()
