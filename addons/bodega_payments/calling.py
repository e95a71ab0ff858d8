"""Providers are called here, outside of transactions, and what they answer is recorded.

A call is open until its answer is recorded. Whoever finds it open makes it again with the same
key: the process that began it may have died anywhere.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from bodega_orders import api as orders
from bodega_payments import checkpoints, choosing, events, recording
from bodega_payments.errors import declined, unavailable, wrong_state
from bodega_payments.models import Call, Customer, Payment, Refund
from bodega_payments.providers import (
    Declined,
    Intent,
    IntentRequest,
    Misconfigured,
    Provider,
    ProviderDown,
    Refused,
)
from bodega_sdk import now, transaction
from bodega_sdk.errors import TryLater, invalid

#: Whether the answer of an act is the intent; that to a refund is the refund.
_Act = Callable[[Provider, Payment, Call], Intent | None]


def _create(provider: Provider, payment: Payment, call: Call) -> Intent:
    wanted = IntentRequest(
        str(payment.id), payment.amount, payment.currency, payment.capture_method == "manual",
        _customer(payment), payment.save_method, f"Order {payment.order_number}",
    )  # fmt: skip
    return provider.create_intent(wanted, call.key)


def _customer(payment: Payment) -> str:
    mine = (Customer.account == payment.account) & (Customer.provider == payment.provider)
    row = Customer.select().where(mine).first() if payment.account else None
    return (row and row.provider_id) or ""


def _confirm(provider: Provider, payment: Payment, call: Call) -> Intent:
    return provider.confirm(payment.provider_id, call.method, payment.return_url, call.key)


def _capture(provider: Provider, payment: Payment, call: Call) -> Intent:
    return provider.capture(payment.provider_id, call.amount, call.key)


def _cancel(provider: Provider, payment: Payment, call: Call) -> Intent:
    return provider.cancel(payment.provider_id, call.key)


def _refund(provider: Provider, payment: Payment, call: Call) -> None:
    refund = Refund.get_by_id(call.refund)
    reason = refund.reason if refund.reason in ("duplicate", "fraudulent") else ""
    provider.refund(
        payment.provider_id, call.amount, reason or "requested_by_customer", str(refund.id),
        call.key,
    )  # fmt: skip


_ACTS: Mapping[str, _Act] = {
    "create": _create, "confirm": _confirm, "capture": _capture, "cancel": _cancel,
    "refund": _refund,
}  # fmt: skip
_SAID = {
    "create": "made", "confirm": "confirmed", "capture": "captured", "cancel": "canceled",
    "refund": "refunded",
}  # fmt: skip


def make(call_id: UUID) -> Payment:
    """Make a call for a client who waits.

    Raises:
        PaymentDeclined: the bank said no.
        WrongState: the provider does not do that now.
        ProviderUnavailable: it gives no answer; the call stays open.
    """
    call = Call.get_by_id(call_id)
    payment_id = call.payment_id
    try:
        return _made(call)
    except Declined as error:
        raise declined(payment_id, error.code, error.message) from None
    except Refused as error:
        if call.act == "confirm" and error.code == "resource_missing":
            raise invalid("payment_method", "The provider knows no such method.") from None
        raise wrong_state(Payment.get_by_id(payment_id).status, _SAID[call.act]) from None
    except (ProviderDown, Misconfigured) as error:
        _failed(call, str(error))
        raise unavailable(payment_id, "The payment provider does not answer.") from error


def make_now(call_id: UUID) -> None:
    """Make a call for nobody who waits, e.g. in a job.

    Raises:
        TryLater: the provider gives no answer.
    """
    call = Call.get_or_none(Call.id == call_id)
    if call is None or call.ended_at is not None:
        return
    try:
        # A no is recorded, and staff see it.
        with suppress(Declined, Refused):
            _made(call)
    except (ProviderDown, Misconfigured) as error:
        _failed(call, str(error))
        wait = min(60 * 2 ** min(call.attempts, 6), 3600)
        raise TryLater(str(error), timedelta(seconds=wait)) from error


def _made(call: Call) -> Payment:
    payment: Payment = Payment.get_by_id(call.payment_id)
    if call.ended_at is not None:
        return payment
    if payment.provider_id is None and call.act != "create":
        # Whoever made the first call has not heard its answer.
        payment = _made(Call.get(Call.payment == payment, Call.act == "create"))
    provider = choosing.provider(payment.provider)
    checkpoints.passing("before_provider_call")
    try:
        intent = _ACTS[call.act](provider, payment, call)
    except (Declined, Refused) as error:
        _give_up(payment, call, f"{error.code}: {error}")
        raise
    checkpoints.passing("after_provider_call")
    if intent is None:
        return recording.refresh(payment.id, ends=call)
    return recording.follow(payment.id, intent, payment.revision, call)


def _give_up(payment: Payment, call: Call, error: str) -> None:
    """End a call that came to nothing; what the payment is instead, the provider says."""
    checkpoints.passing("after_provider_call")
    if call.refund is not None:
        _release(call, error)
    if payment.provider_id is None:
        _bury(payment, call, error)
    else:
        recording.refresh(payment.id, ends=call, error=error)


def _release(call: Call, error: str) -> None:
    """Let go the money that a refund was to give back; recording adds up anew."""
    Refund.update(status="refused", error=error[:500], updated_at=now()).where(
        Refund.id == call.refund, Refund.status == "reserved"
    ).execute()


def _bury(payment: Payment, call: Call, error: str) -> None:
    """End a payment that the provider did not want to begin."""
    with transaction():
        orders.hold(payment.order)
        Call.update(ended_at=now(), error=error[:500]).where(
            Call.payment == payment, Call.ended_at.is_null()
        ).execute()
        found = Payment.find(payment.id, lock=True)
        if found is not None and found.status != "canceled":
            found.status, found.error_code, found.error = "canceled", "refused", error[:500]
            found.save()
            events.publish(events.canceled, found, found.amount)


def _failed(call: Call, error: str) -> None:
    Call.update(attempts=Call.attempts + 1, error=error[:500], updated_at=now()).where(
        Call.id == call.id
    ).execute()
