"""Events that Stripe tells: whether they are its own, and which intent they are about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from bodega_payments.providers import TOLERANCE, BadSignature, Misconfigured, ProviderEvent
from bodega_payments.stripe_provider.reports import intent_of


def read(secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> ProviderEvent:
    """Return what a webhook tells, once its signature has been checked.

    Args:
        secrets: any of them may have signed it, so that they can be rotated.
        headers: by their names in lower case.
        body: as it came.

    Raises:
        BadSignature: not signed by any of them, or too long ago, or no event.
        Misconfigured: there are no secrets.
    """
    if not secrets:
        raise Misconfigured(
            "Set the secret payments.stripe_webhook_secret to the endpoint's signing secret."
        )
    signature = headers.get("stripe-signature", "")
    # The library compares with what it takes for ASCII.
    if not signature.isascii() or not any(_signed(body, signature, one) for one in secrets):
        raise BadSignature(
            "Stripe-Signature is missing, too old, or not made with payments.stripe_webhook_secret."
        )
    return _event(body)


def _signed(body: bytes, signature: str, secret: str) -> bool:
    import stripe

    try:
        return bool(stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def _event(body: bytes) -> ProviderEvent:
    try:
        found: Any = orjson.loads(body)
        subject = (found.get("data") or {}).get("object") or {}
        return ProviderEvent(
            id=str(found["id"]),
            type=str(found["type"]),
            created_at=datetime.fromtimestamp(found["created"], UTC),
            intent=intent_of(subject),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
        raise BadSignature("What was signed is no event of Stripe's.") from None
