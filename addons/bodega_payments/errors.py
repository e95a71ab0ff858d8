"""The errors of payments, as the API answers them."""

from typing import Any

from bodega_sdk.errors import Conflict, FieldError, InvalidInput, Problem, Unavailable


class PaymentDeclined(Problem):
    """402: the bank said no; the payment can be confirmed again with another method.

    ``code`` of the problem is the reason, e.g. ``"insufficient_funds"``; ``payment`` the id.
    """

    status, code, title = 402, "payment-declined", "The payment was declined"


class WrongState(Conflict):
    """409: what the payment is now does not allow it; ``payment_status`` says what it is."""

    code, title = "payment-state", "The payment is not in the state for this"


class NothingDue(Conflict):
    """409: nothing is left to pay for the order."""

    code, title = "nothing-due", "Nothing is left to pay"


class TooMuch(InvalidInput):
    """422: more than there is to capture or to give back; ``most`` says how much there is."""

    code, title = "too-much", "More than there is"


class ProviderUnavailable(Unavailable):
    """503: the provider does not answer; the payment stands, and is looked after."""

    code, title = "provider-unavailable", "The payment provider does not answer"


def declined(payment: Any, code: str, message: str) -> PaymentDeclined:
    """Return the error for a payment that the bank refused."""
    errors = [FieldError("payment_method", message)]
    return PaymentDeclined(message, errors, extra={"code": code, "payment": str(payment)})


def wrong_state(status: str, act: str) -> WrongState:
    """Return the error for what a status does not allow."""
    message = f"A payment that is {status} cannot be {act}."
    return WrongState(
        message, [FieldError("status", message, status)], extra={"payment_status": status}
    )


def too_much(field: str, wanted: Any, most: Any) -> TooMuch:
    """Return the error for an amount above what there is."""
    message = f"Must be more than 0 and at most {most}."
    return TooMuch(
        f"'{field}': {message}", [FieldError(field, message, str(wanted))],
        extra={"most": str(most)},
    )  # fmt: skip


def unavailable(payment: Any, message: str) -> ProviderUnavailable:
    """Return the error for a provider that gives no answer."""
    return ProviderUnavailable(
        f"{message} Send the same request again in a moment; nothing is paid twice.",
        retry_after=5, extra={"payment": str(payment)} if payment else None,
    )  # fmt: skip
