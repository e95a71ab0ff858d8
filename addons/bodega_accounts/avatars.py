"""Avatars: pictures of people, made small and free of everything but the picture."""

import secrets
import warnings
from io import BytesIO
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageOps

from bodega_accounts.models import Account
from bodega_sdk import database, folder, now
from bodega_sdk.errors import FieldError, NotFound, UnsupportedMedia, invalid

#: Bytes that may be sent, pixels that are looked at, and pixels of a side that are kept.
LARGEST, MOST_PIXELS, SIDE = 5 * 2**20, 40_000_000, 512
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")


def keep(account: Account, data: bytes) -> None:
    """Take a picture; call it in a transaction.

    Raises:
        InvalidInput, UnsupportedMedia: it is none, or too large.
    """
    small = _made_small(data)
    old, version = account.avatar, secrets.token_hex(8)
    _file(account.id, version).write_bytes(small)
    _point_to(account, version)
    database.after_commit(lambda: _forget(account.id, old))


def _made_small(data: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(data), formats=_FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise invalid("body", f"Must have at most {MOST_PIXELS:,} pixels.")
                upright = ImageOps.exif_transpose(picture).convert("RGBA")
    # Pillow raises whatever a broken file makes its decoders stumble over.
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        message = "Expected a picture: JPEG, PNG, GIF or WebP."
        raise UnsupportedMedia(message, [FieldError("body", message)]) from error
    upright.thumbnail((SIDE, SIDE))
    made = BytesIO()
    upright.save(made, "WEBP", quality=85)
    return made.getvalue()


def read(account: Account) -> bytes:
    """Return the picture as WebP.

    Raises:
        NotFound: there is none.
    """
    if account.avatar:
        file = _file(account.id, account.avatar)
        if file.exists():
            return file.read_bytes()
    raise NotFound("There is no avatar.")


def remove(account: Account) -> None:
    """Delete the picture; call it in a transaction."""
    old = account.avatar
    _point_to(account, "")
    database.after_commit(lambda: _forget(account.id, old))


def address_of(account: Account) -> str | None:
    """Return the picture's address for its owner; None without one."""
    return f"/api/v1/auth/me/avatar?version={account.avatar}" if account.avatar else None


def _point_to(account: Account, version: str) -> None:
    account.avatar = version
    changes = {"avatar": version, "updated_at": now()}
    Account.update(changes).where(Account.id == account.id).execute()


def _forget(account_id: UUID, version: str) -> None:
    if version:
        _file(account_id, version).unlink(missing_ok=True)


def _file(account_id: UUID, version: str) -> Path:
    return folder("accounts") / f"{account_id}-{version}.webp"
