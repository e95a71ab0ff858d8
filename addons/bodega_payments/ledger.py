"""The ledger: what the provider's state says beyond ours is written down, once.

The rows that are kept here only ever grow: what was captured, which refunds and disputes there
are and how far they have got, and whether a payment has ended. A state that is older than what
is known therefore adds nothing, and one that comes twice adds nothing the second time.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bodega_payments import providers
from bodega_payments.models import Dispute, LedgerEntry, Payment, Refund
from bodega_payments.providers import Intent

#: How far a payment has got; what is less far is stale.
_RANKS = {"requires_capture": 1, "succeeded": 2, "canceled": 2}
_REFUNDS = ("reserved", "refused", *providers.REFUND_STATUSES)
#: Statuses of refunds whose money is, or will be, with the customer.
GOING_BACK = ("pending", "succeeded")


@dataclass(slots=True)
class News:
    """What a state said that was not known, in minor units."""

    authorized: int = 0
    captured: int = 0
    canceled: bool = False
    expired: bool = False
    failed: bool = False
    refunds: list[Refund] = field(default_factory=list)
    refunds_failed: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)


def book(payment: Payment, intent: Intent) -> News:
    """Write into a payment, its ledger, refunds and disputes what a state says; it is locked."""
    news = News()
    _book_money(payment, intent, news)
    for refund in intent.refunds:
        _book_refund(payment, refund, news)
    for dispute in intent.disputes:
        _book_dispute(payment, dispute, news)
    add_up(payment)
    return news


def enter(payment: Payment, kind: str, amount: int, fact: str) -> None:
    """Write a line of the ledger; nothing for nothing."""
    if amount > 0:
        LedgerEntry.create(
            payment=payment, order=payment.order, kind=kind, amount=amount,
            currency=payment.currency, fact=f"{kind}:{fact}",
        )  # fmt: skip


def _book_money(payment: Payment, intent: Intent, news: News) -> None:
    held = payment.authorized
    is_stale = _RANKS.get(intent.status, 0) < _RANKS.get(payment.status, 0)
    after = held if is_stale else intent.authorized
    taken = max(payment.captured, intent.captured)
    grown = taken - payment.captured
    granted = _granted(payment, grown, after)
    enter(payment, "authorization", granted, str(held + payment.captured + granted))
    enter(payment, "capture", grown, str(taken))
    enter(payment, "void", held + granted - grown - after, f"{taken}:{after}")
    news.authorized, news.captured = granted, grown
    payment.authorized, payment.captured = after, taken
    if not is_stale:
        _take_state(payment, intent, news)


def _granted(payment: Payment, grown: int, after: int) -> int:
    """Return what was held that we did not know to be held."""
    if payment.authorized or payment.captured:
        return max(0, int(grown + after - payment.authorized))
    held_first = payment.capture_method == "manual" and (grown or after)
    # All of it was held, also when we hear of it only after a part was captured.
    return max(int(payment.amount), grown + after) if held_first else grown + after


def _take_state(payment: Payment, intent: Intent, news: News) -> None:
    error = (intent.error_code, intent.error_message)
    news.canceled = intent.status == "canceled" != payment.status
    news.expired = news.canceled and payment.status == "requires_capture"
    news.failed = bool(intent.error_code) and error != (payment.error_code, payment.error)
    payment.status = intent.status
    payment.error_code, payment.error = error[0][:100], error[1][:500]
    payment.action_url = intent.action_url
    if intent.method is not None:
        payment.method = intent.method.id
        payment.method_label = f"{intent.method.brand or intent.method.kind} {intent.method.last4}"


def _book_refund(payment: Payment, told: providers.Refund, news: News) -> None:
    row = _refund_of(payment, told)
    if _REFUNDS.index(told.status) <= _REFUNDS.index(row.status):
        return
    is_new = row.status in ("reserved", "refused")
    row.provider_id, row.status, row.amount = told.id, told.status, told.amount
    row.error = told.error[:500]
    row.save()
    if is_new:
        enter(payment, "refund", row.amount, told.id)
        news.refunds.append(row)
    if row.status == "failed":
        enter(payment, "refund_failed", row.amount, told.id)
        news.refunds_failed.append(row)


def _refund_of(payment: Payment, told: providers.Refund) -> Refund:
    """Return our row of a refund; one that was made elsewhere gets one."""
    ours = Refund.provider_id == told.id
    reference = read_id(told.reference)
    if reference is not None:
        ours |= (Refund.id == reference) & Refund.provider_id.is_null()
    row: Refund | None = Refund.select().where(Refund.payment == payment, ours).first()
    return row or Refund.create(
        payment=payment, provider_id=told.id, amount=told.amount, currency=payment.currency,
        reason="made_elsewhere", idempotency_key=told.id,
    )  # fmt: skip


def read_id(text: str) -> UUID | None:
    """Return an id of ours that a provider kept; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _book_dispute(payment: Payment, told: providers.Dispute, news: News) -> None:
    row, made = Dispute.get_or_create(
        payment=payment, provider_id=told.id,
        defaults={
            "amount": told.amount, "currency": payment.currency, "status": "open",
            "reason": told.reason[:100],
        },
    )  # fmt: skip
    if made:
        enter(payment, "dispute", told.amount, told.id)
    # What the bank has decided stays.
    if row.status == "open" != told.status:
        row.status = told.status
        row.save()
        if told.status == "won":
            enter(payment, "dispute_won", row.amount, told.id)
        made = True
    if made:
        news.disputes.append(row)


def add_up(payment: Payment) -> None:
    """Write the sums of refunds and disputes into their payment."""
    refunds = list(Refund.select().where(Refund.payment == payment))
    payment.reserved = sum(row.amount for row in refunds if row.status == "reserved")
    payment.refunded = sum(row.amount for row in refunds if row.status in GOING_BACK)
    disputes = list(Dispute.select().where(Dispute.payment == payment))
    payment.disputed = sum(row.amount for row in disputes if row.status != "won")
    payment.lost = sum(row.amount for row in disputes if row.status == "lost")


def refundable(payment: Payment) -> int:
    """Return what can be given back, in minor units."""
    gone: Any = payment.refunded + payment.reserved + payment.disputed
    return int(max(0, payment.captured - gone))
