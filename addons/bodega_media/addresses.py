"""Addresses of pictures: plain ones for the public, signed ones that end for the rest."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from bodega_media.choosing import storage
from bodega_media.sizes import Size, declared, original
from bodega_media.storage import Storage
from bodega_sdk import Parameter, derive_key
from bodega_sdk.errors import FieldError, PermissionDenied

_ROOT = "/api/v1/media"
PARAMETERS = (
    Parameter("expires", int, "When a signed address ends, in seconds of Unix time.", minimum=0),
    Parameter("signature", str, "What the shop signed it with."),
)


def plain(key: str, media: str, size: Size | None = None) -> str:
    """Return the address of a public picture, in a size that is declared."""
    return _plain(storage(), key, media, size or Size())


def all_sizes(key: str, media: str) -> dict[str, str]:
    """Return the addresses of a public picture in every size that is declared, as WebP."""
    where = storage()
    return {word: _plain(where, key, media, _shown_as(box)) for word, box in declared().items()}


def _plain(where: Storage, key: str, media: str, size: Size) -> str:
    foreign = where.url(original(key, media), size, None)
    return foreign or f"{_ROOT}/{key}{_asking(size)}"


@lru_cache(maxsize=500)
def _shown_as(box: tuple[int | None, int | None]) -> Size:
    # A box is filled, so that a grid of pictures is even.
    return Size(*box, fit="contain" if None in box else "cover", format="webp")


@lru_cache(maxsize=500)
def _asking(size: Size) -> str:
    query = urlencode(size.query)
    return f"?{query}" if query else ""


def signed(key: str, media: str, size: Size, expires: datetime) -> str:
    """Return an address of a picture in any size, which ends."""
    foreign = storage().url(original(key, media), size, expires)
    return foreign or at_shop(key, size, expires)


def at_shop(key: str, size: Size, expires: datetime) -> str:
    """Return where the shop itself serves a picture, whatever the storage can do."""
    query = size.query | {"expires": str(int(expires.timestamp()))}
    return f"{_ROOT}/{key}?{urlencode(query | {'signature': _signature(key, query)})}"


def _signature(key: str, query: Mapping[str, str]) -> str:
    text = f"{key}?{urlencode(query)}".encode()
    return hmac.new(derive_key("media addresses"), text, hashlib.sha256).hexdigest()


def ends(key: str, size: Size, query: Mapping[str, Any]) -> datetime | None:
    """Return when a signed address ends; None when it is not signed.

    Raises:
        PermissionDenied: the signature is not the shop's, or the address has ended.
    """
    if "signature" not in query and "expires" not in query:
        return None
    expires = query.get("expires", 0)
    meant = _signature(key, size.query | {"expires": str(expires)})
    # What is compared may hold any character.
    if not hmac.compare_digest(meant.encode(), str(query.get("signature", "")).encode()):
        raise _refused("signature", "This address was not signed by the shop, or was changed.")
    if expires <= time.time():
        raise _refused("expires", "This address has ended; ask for another.")
    return datetime.fromtimestamp(expires, UTC)


def _refused(field: str, message: str) -> PermissionDenied:
    return PermissionDenied(message, [FieldError(field, message)])
