"""Avatars: pictures of people, made small and free of everything but the picture."""

import secrets
import warnings
from io import BytesIO
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageOps

from bodega_accounts.models import Account
from bodega_sdk import database, folder, now
from bodega_sdk.errors import FieldError, NotFound, TooLarge, UnsupportedMedia, invalid

#: Bytes that may be sent, pixels that are looked at, and pixels of a side that are kept.
LARGEST, MOST_PIXELS, SIDE = 5 * 2**20, 40_000_000, 512
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")


def keep(account: Account, picture: bytes) -> None:
    """Keep what :func:`made_small` returned; call it in a transaction."""
    version = secrets.token_hex(8)
    _file(account.id, version).write_bytes(picture)
    _point_to(account, version)


def made_small(data: bytes) -> bytes:
    """Return a picture as WebP of :data:`SIDE` at most, with nothing else in it.

    It takes its time; do it before the transaction.

    Raises:
        InvalidInput, TooLarge, UnsupportedMedia: it is none, or too large.
    """
    if len(data) > LARGEST:
        raise TooLarge(f"A picture may have {LARGEST} bytes at most.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(data), formats=_FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise invalid("body", f"Must have at most {MOST_PIXELS:,} pixels.")
                upright = ImageOps.exif_transpose(_thumbnail(picture)).convert("RGBA")
    # Pillow raises whatever a broken file makes its decoders stumble over.
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        message = "Expected a picture: JPEG, PNG, GIF or WebP."
        raise UnsupportedMedia(message, [FieldError("body", message)]) from error
    made = BytesIO()
    upright.save(made, "WEBP", quality=85)
    return made.getvalue()


def _thumbnail(picture: Image.Image) -> Image.Image:
    """Make a picture small first: the large one is in memory once only."""
    if picture.mode == "P":
        picture = picture.convert("RGBA")
    picture.thumbnail((SIDE, SIDE))
    return picture


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
    _point_to(account, "")


def address_of(account: Account) -> str | None:
    """Return the picture's address for its owner; None without one."""
    return f"/api/v1/auth/me/avatar?version={account.avatar}" if account.avatar else None


def _point_to(account: Account, version: str) -> None:
    # Held: of two that come at once, the second forgets the first one's.
    held = Account.find(account.id, lock=True) or account
    forget_files(held)
    account.avatar = version
    changes = {"avatar": version, "updated_at": now()}
    Account.update(changes).where(Account.id == account.id).execute()


def forget_files(account: Account) -> None:
    """Delete the picture's file once the open transaction is committed."""
    if account.avatar:
        file = _file(account.id, account.avatar)
        database.after_commit(lambda: file.unlink(missing_ok=True))


def _file(account_id: UUID, version: str) -> Path:
    return folder("accounts") / f"{account_id}-{version}.webp"
