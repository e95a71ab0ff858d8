"""Signatures of the sandbox's webhooks, as Stripe's: ``t=…,v1=…`` over ``t.body``."""

import hmac
import time

from bodega_payments.providers import TOLERANCE, BadSignature
from bodega_sdk import derive_key


def sign(body: bytes, at: int) -> str:
    """Return the header ``sandbox-signature``."""
    return f"t={at},v1={_digest(body, str(at))}"


def _digest(body: bytes, at: str) -> str:
    key = derive_key("payments sandbox webhooks")
    return hmac.new(key, at.encode() + b"." + body, "sha256").hexdigest()


def check(header: str, body: bytes) -> None:
    """Let through what the sandbox signed within the last minutes.

    Raises:
        BadSignature: it did not.
    """
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at, found = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) < 12 and found.isascii()):
        raise BadSignature("the header sandbox-signature is missing or cannot be read")
    if not hmac.compare_digest(_digest(body, at), found):
        raise BadSignature("the signature does not fit the body")
    if abs(time.time() - int(at)) > TOLERANCE:
        raise BadSignature(f"signed more than {TOLERANCE} seconds ago")
