"""Confirmations: what deletes much is done when somebody says again that it is meant."""

import base64
import hmac
import time
from collections.abc import Iterable
from hashlib import blake2b, sha256
from uuid import UUID

from bodega_sdk import derive_key
from bodega_sdk.errors import Conflict, FieldError

#: Seconds that a token is good for.
LIFETIME = 300
_PURPOSE = "products confirmation"


def confirm(token: str | None, ids: Iterable[UUID], who: str, how: str) -> None:
    """Go on if the token was given to this caller for exactly these products, lately.

    Args:
        how: where to send the token, for the message.

    Raises:
        Conflict: with the number of products, and a token that is good for five minutes.
    """
    ids = list(ids)
    digest = _digest(ids, who)
    if token is not None and _is_good(token, digest):
        return
    until = int(time.time()) + LIFETIME
    reason = "" if token is None else "The token is too old, or was made for other products. "
    count = len(ids)
    message = (
        f"{reason}This deletes {count:,} product(s); {how} within five minutes, if you mean it."
    )
    raise Conflict(
        message,
        [FieldError("confirm", message)],
        extra={"count": count, "confirm": _sign(until, digest), "expires_in": LIFETIME},
    )


def _digest(ids: list[UUID], who: str) -> bytes:
    found = blake2b(who.encode(), digest_size=16)
    for key in sorted(ids):
        found.update(key.bytes)
    return found.digest()


def _sign(until: int, digest: bytes) -> str:
    body = until.to_bytes(8, "big")
    seal = hmac.new(derive_key(_PURPOSE), body + digest, sha256).digest()
    return base64.urlsafe_b64encode(body + seal).decode().rstrip("=")


def _is_good(token: str, digest: bytes) -> bool:
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except ValueError:
        return False
    until = int.from_bytes(data[:8], "big")
    return until >= time.time() and hmac.compare_digest(token, _sign(until, digest))
