"""What a customer is told when the bank said no: what they can do, and no more than that."""

from collections.abc import Mapping
from typing import Any

_GENERIC = "The bank declined the card. Use another one, or ask the bank why."
_NUMBER = "The card's number is not right. Check it, or use another card."
_SENTENCES = {
    "approve_with_id": "The bank could not approve this. Try again, or use another card.",
    "authentication_required": "The bank wants to know that it is you. Pay again and follow it.",
    "card_not_supported": "The card cannot be used for this. Use another one.",
    "card_velocity_exceeded": "The card has reached its limit. Use another one, or ask the bank.",
    "currency_not_supported": "The card does not work in this currency. Use another one.",
    "duplicate_transaction": "The same amount was just paid with this card. Check your orders.",
    "expired_card": "The card has expired. Use another one.",
    "incorrect_cvc": "The card's security code is not right. Check it and try again.",
    "incorrect_number": _NUMBER,
    "incorrect_pin": "The PIN is not right. Check it and try again.",
    "incorrect_zip": "The postal code does not belong to the card. Check it and try again.",
    "insufficient_funds": "There is not enough money on the card. Use another one.",
    "invalid_cvc": "The card's security code is not right. Check it and try again.",
    "invalid_expiry_month": "The card's month of expiry is not right. Check it and try again.",
    "invalid_expiry_year": "The card's year of expiry is not right. Check it and try again.",
    "invalid_number": _NUMBER,
    "issuer_not_available": "The bank cannot be reached just now. Try again in a few minutes.",
    "payment_intent_authentication_failure": (
        "The bank was not sure that it was you. Pay again, or use another card."
    ),
    "processing_error": "The card could not be charged just now. Try again in a few minutes.",
    "reenter_transaction": "The card could not be charged just now. Try again.",
    "setup_intent_authentication_failure": (
        "The bank was not sure that it was you. Try again, or use another card."
    ),
    "try_again_later": "The bank could not answer just now. Try again in a few minutes.",
    "withdrawal_count_limit_exceeded": "The card has reached its limit. Use another one.",
}
# Stripe asks not to tell who holds the card: it may not be theirs.
_KEPT_QUIET = frozenset(
    (
        "fraudulent", "highest_risk_level", "lost_card", "merchant_blacklist", "pickup_card",
        "restricted_card", "security_violation", "stolen_card", "stop_payment_order",
    )
)  # fmt: skip


def told(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return a code and a sentence for the customer.

    Args:
        error: as Stripe says it, in a ``card_error`` or as ``last_payment_error``.

    Example::

        >>> told({"code": "card_declined", "decline_code": "stolen_card"})[0]
        'card_declined'
    """
    code, reason = str(error.get("code") or ""), str(error.get("decline_code") or "")
    if reason in _KEPT_QUIET:
        return "card_declined", _GENERIC
    for name in (reason, code):
        if name in _SENTENCES:
            return name, _SENTENCES[name]
    return code or reason or "card_declined", _GENERIC
