"""What a provider is to be asked for is written down first, with its idempotency key."""

from typing import Any
from uuid import UUID

from bodega_payments.models import Call, Payment, Refund
from bodega_sdk import JobRun, job, uuid7


def plan(payment: Payment, act: str, **what: Any) -> Call:
    """Write a call, in the transaction that is open; the payment's order is held.

    Its key is made of the payment, the act and how often that was asked for before.
    """
    before = Call.select().where(Call.payment == payment, Call.act == act).count()
    key = f"{payment.id}:{act}:{before + 1}"
    made: Call = Call.create(payment=payment, act=act, key=key, **what)
    return made


def asked_for(payment: Payment, act: str) -> bool:
    """Whether something was planned, whatever became of it."""
    return bool(Call.select().where(Call.payment == payment, Call.act == act).exists())


def pending(payment: Payment, act: str) -> Call | None:
    """Return a call that was planned and has not ended."""
    found: Call | None = (
        Call.select()
        .where(Call.payment == payment, Call.act == act, Call.ended_at.is_null())
        .order_by(Call.id)
        .first()
    )
    return found


def reserve(
    payment: Payment, amount: int, reason: str, key: str, *, note: str = "",
    account: UUID | None = None,
) -> Call:  # fmt: skip
    """Write a refund, so that nobody else gives back the same money, and its call."""
    refund = Refund.create(
        id=uuid7(), payment=payment, amount=amount, currency=payment.currency, reason=reason,
        note=note, account=account, idempotency_key=key,
    )  # fmt: skip
    payment.reserved += amount
    Payment.update(reserved=payment.reserved).where(Payment.id == payment.id).execute()
    return plan(payment, "refund", amount=amount, refund=refund.id)


@job("payments.call", max_attempts=10)
def call(run: JobRun, call_id: str) -> None:
    """Ask a provider for what was planned."""
    # Not at the top: what it calls may plan further calls.
    from bodega_payments import calling

    calling.make_now(UUID(call_id))


def later(planned: Call) -> None:
    """Have a worker make a call once this is committed."""
    call.enqueue(call_id=str(planned.id))
