"""What is shown of a payment that is not simply a column."""

from typing import Any

from bodega_payments import choosing
from bodega_payments.models import Payment
from bodega_payments.providers import Misconfigured
from bodega_payments.recording import SEALED_FOR
from bodega_sdk import unseal

_PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def is_test(payment: Payment) -> bool:
    """Whether no real money moves; true for the sandbox, and for test keys of others."""
    return provider_is_test(payment.provider)


def provider_is_test(name: str) -> bool:
    """Whether a provider moves no real money; one that cannot be asked is taken seriously."""
    try:
        return bool(choosing.provider(name).is_test)
    except Misconfigured:
        return False


def next_action(payment: Payment) -> dict[str, Any] | None:
    """What the customer has to do now."""
    if payment.status != "requires_action":
        return None
    return {"url": payment.action_url}


def failure(payment: Payment) -> dict[str, Any] | None:
    """Why the last attempt failed."""
    if not payment.error_code:
        return None
    return {"code": payment.error_code, "message": payment.error}


def client_secret(payment: Payment) -> str | None:
    """With what the provider's script goes on; None when there is nothing to go on with."""
    if payment.status not in _PAYABLE or not payment.client_secret:
        return None
    try:
        return unseal(SEALED_FOR, payment.client_secret)
    except ValueError:
        return None  # The shop's secret key was changed since.
