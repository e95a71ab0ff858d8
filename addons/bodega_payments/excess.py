"""What was held or taken above what an order wants goes back by itself, and staff are told."""

from bodega_orders import api as orders
from bodega_payments import flagging, ledger, planning
from bodega_payments.models import Call, LedgerEntry, Payment, Refund
from bodega_sdk import Money

_CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def give_back(told: orders.Settled, payments: list[Payment]) -> None:
    """Have the excess voided or refunded, what came last first.

    Args:
        told: what orders say; the order is held.
        payments: all of the order, as they are now.
    """
    open_calls = _open_calls(payments)
    left = told.excess.minor - _under_way(payments, open_calls)
    for payment in _last_first(payments) if left > 0 else ():
        if left <= 0:
            break
        left -= _void(payment, left, told, open_calls) or _refund(payment, left, told)
    if told.due.status == "cancelled":
        _close(payments, open_calls)


def _last_first(payments: list[Payment]) -> list[Payment]:
    """Return payments by when their money came; who began first may have paid last."""
    came = (LedgerEntry.kind == "authorization") & LedgerEntry.payment.in_(payments)
    # Ids tell the time.
    at = {
        row.payment_id: row.id for row in LedgerEntry.select().where(came).order_by(LedgerEntry.id)
    }
    return sorted((row for row in payments if row.id in at), key=lambda row: at[row.id].hex)[::-1]


def _open_calls(payments: list[Payment]) -> set[tuple[object, str]]:
    query = Call.select().where(Call.payment.in_(payments), Call.ended_at.is_null())
    return {(row.payment_id, row.act) for row in query}


def _under_way(payments: list[Payment], open_calls: set[tuple[object, str]]) -> int:
    """Return what is going back already."""
    voided = (row.authorized for row in payments if (row.id, "cancel") in open_calls)
    return int(sum(voided) + sum(row.reserved for row in payments))


def _void(
    payment: Payment, left: int, told: orders.Settled, open_calls: set[tuple[object, str]]
) -> int:
    # A part of what is held cannot be let go before the rest is captured.
    if not 0 < payment.authorized <= left or not _may_cancel(payment, open_calls):
        return 0
    flagging.flag(payment, _why(told, payment.authorized, "let go"))
    planning.later(planning.plan(payment, "cancel"))
    return int(payment.authorized)


def _may_cancel(payment: Payment, open_calls: set[tuple[object, str]]) -> bool:
    """Whether it is not being canceled, and the provider has not refused to."""
    if (payment.id, "cancel") in open_calls:
        return False
    refused = (Call.payment == payment) & (Call.act == "cancel") & (Call.error != "")
    return not Call.select().where(refused).exists()


def _refund(payment: Payment, left: int, told: orders.Settled) -> int:
    amount = min(left, ledger.refundable(payment))
    if amount <= 0:
        return 0
    if _was_refused(payment):
        # Why it failed is flagged already, mostly.
        if not payment.flag:
            flagging.flag(payment, _why(told, amount, "to be given back"))
        return 0
    flagging.flag(payment, _why(told, amount, "given back"))
    reason = "requested_by_customer" if told.due.status == "cancelled" else "duplicate"
    planning.later(planning.reserve(payment, amount, reason, f"excess:{payment.revision}"))
    return amount


def _was_refused(payment: Payment) -> bool:
    """Whether giving back has failed before: to try again, or otherwise, is for a person."""
    failed = (Refund.payment == payment) & Refund.status.in_(("refused", "failed"))
    return bool(Refund.select().where(failed).exists())


def _why(told: orders.Settled, minor: int, verb: str) -> str:
    amount = f"{Money(minor, told.excess.currency)} {told.excess.currency}"
    because = {
        "cancelled": "the order is cancelled",
        "refunded": "the order was refunded",
    }.get(told.due.status, "the order was paid for already")
    return f"{amount} are {verb}: {because}."


def _close(payments: list[Payment], open_calls: set[tuple[object, str]]) -> None:
    """End attempts to pay for an order that is cancelled."""
    for payment in payments:
        if payment.status in _CANCELABLE and _may_cancel(payment, open_calls):
            planning.later(planning.plan(payment, "cancel"))
