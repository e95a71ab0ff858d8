"""Refunds: reserved before the provider hears of them, so that no two give back the same money."""

from uuid import UUID

from bodega_payments import checkpoints, ledger, planning
from bodega_payments.calling import make
from bodega_payments.errors import too_much, wrong_state
from bodega_payments.models import Call, Payment, Refund
from bodega_payments.paying import held
from bodega_sdk import Money, transaction, uuid7
from bodega_sdk.errors import invalid

REASONS = ("requested_by_customer", "duplicate", "fraudulent")


def refund(
    payment_id: UUID, amount: int | None, reason: str, note: str, account: UUID | None, key: str
) -> Refund:
    """Give back what was captured, or a part.

    Args:
        amount: minor units; None for all that is left.
        account: who gives it back.
        key: the client's idempotency key; may be empty.

    Raises:
        WrongState: nothing was captured.
        TooMuch: less is left, also counting what is being given back now.
        Problem: see :func:`calling.make`.
    """
    with transaction():
        payment = held(payment_id)
        call = _repeated(payment, amount, key) if key else None
        if call is None:
            wanted = _checked(payment, amount)
            call = planning.reserve(
                payment, wanted, reason, key or f"own:{uuid7()}", note=note, account=account
            )
    checkpoints.passing("intent_written")
    if call.ended_at is None:
        make(call.id)
    made: Refund = Refund.get_by_id(call.refund)
    return made


def _repeated(payment: Payment, amount: int | None, key: str) -> Call | None:
    """Return the call of a refund that was asked for with this key before."""
    same = (Refund.payment == payment) & (Refund.idempotency_key == key)
    before = Refund.select().where(same).first()
    if before is None:
        return None
    if amount is not None and amount != before.amount:
        raise invalid("Idempotency-Key", "It was used for a refund of another amount.")
    call: Call = Call.get(Call.refund == before.id)
    return call


def _checked(payment: Payment, amount: int | None) -> int:
    if not payment.captured:
        raise wrong_state(payment.status, "refunded")
    left = ledger.refundable(payment)
    wanted = left if amount is None else amount
    if not 0 < wanted <= left:
        most = Money(left, payment.currency)
        raise too_much("amount", Money(wanted, payment.currency), most)
    return wanted
