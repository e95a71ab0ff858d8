"""The one way in which anything that a provider says becomes true here.

Webhook, return page, the client's retry, our own calls and reconciling all end in
:func:`record`: under the order's lock and then the payment's, it books what is new, tells the
order the sums of all its payments, publishes events, and has what is in excess given back.

A webhook's content is not believed: the provider is asked for the present state. Two who ask
at the same time may come back in another order than they asked in, so whoever comes back
finds by ``revision`` whether somebody recorded meanwhile, and asks again.
"""

from uuid import UUID

from bodega_orders import api as orders
from bodega_payments import (
    checkpoints,
    choosing,
    events,
    excess,
    flagging,
    keeping,
    ledger,
    planning,
)
from bodega_payments.ledger import News
from bodega_payments.models import Call, Payment
from bodega_payments.providers import Intent
from bodega_sdk import now, seal, transaction

#: What client secrets are sealed for.
SEALED_FOR = "payments client secret"
_TRIES = 5


class Stale(Exception):
    """Somebody recorded another state since this one was asked for."""


def refresh(payment_id: UUID, *, ends: Call | None = None, error: str = "") -> Payment:
    """Ask the provider what a payment has come to, outside of any transaction, and record it.

    Args:
        ends: a call that is done with this.
        error: why it came to nothing, if it did.

    Raises:
        ProviderError: it does not say.
    """
    for _ in range(_TRIES):
        payment = Payment.get_by_id(payment_id)
        intent = choosing.provider(payment.provider).retrieve_intent(payment.provider_id)
        try:
            return record(payment_id, intent, since=payment.revision, ends=ends, error=error)
        except Stale:
            continue
    # Everybody records this payment now. Nothing older undoes what is newer.
    return record(payment_id, intent, ends=ends, error=error)


def follow(payment_id: UUID, intent: Intent, since: int, ends: Call | None = None) -> Payment:
    """Record what a provider answered to a call that was begun at revision ``since``."""
    try:
        return record(payment_id, intent, since=since, ends=ends)
    except Stale:
        return refresh(payment_id, ends=ends)


def record(
    payment_id: UUID, intent: Intent, *, since: int | None = None, ends: Call | None = None,
    error: str = "",
) -> Payment:  # fmt: skip
    """Write down what a payment has come to, and all that follows from it.

    Args:
        payment_id: the payment's.
        intent: its whole state, as the provider says.
        since: the payment's revision when the provider was asked; None when it does not matter.
        ends, error: see :func:`refresh`.

    Raises:
        Stale: the payment has another revision now; nothing was written.
    """
    order = Payment.get_by_id(payment_id).order
    with transaction():
        orders.hold(order)
        payment = Payment.find(payment_id, lock=True)
        assert payment is not None
        if since is not None and payment.revision != since:
            raise Stale
        _identify(payment, intent)
        news = ledger.book(payment, intent)
        _save(payment)
        _tell(payment, news)
        keeping.remember_paid(payment, intent.method)
        _settle_as_held(payment, news)
        settle(payment)
        if ends is not None:
            _end(ends, error)
        checkpoints.passing("before_record_commit")
    checkpoints.passing("after_record")
    return payment


def _identify(payment: Payment, intent: Intent) -> None:
    payment.provider_id = payment.provider_id or intent.id
    if not payment.client_secret and intent.client_secret:
        payment.client_secret = seal(SEALED_FOR, intent.client_secret)


def _save(payment: Payment) -> None:
    payment.revision += 1
    payment.updated_at = payment.checked_at = now()
    payment.save()


def _end(call: Call, error: str) -> None:
    Call.update(ended_at=now(), updated_at=now(), error=error[:500]).where(
        Call.id == call.id, Call.ended_at.is_null()
    ).execute()


def _settle_as_held(payment: Payment, news: News) -> None:
    """Tell the order first what was held, where more of that is gone than was captured.

    An order that heard of it in time was confirmed by it. One that hears of all at once, because
    webhooks were late, comes to the same.
    """
    if news.authorized > payment.authorized + news.captured:
        others = Payment.order == payment.order, Payment.id != payment.id
        rows = list(Payment.select().where(*others))
        orders.settle(
            payment.order,
            authorized=news.authorized + sum(row.authorized for row in rows),
            captured=payment.captured - news.captured + sum(row.captured for row in rows),
            refunded=_gone_back(rows),
        )


def settle(payment: Payment) -> None:
    """Tell the order what its payments come to, and have the excess given back; it is held."""
    rows = list(Payment.select().where(Payment.order == payment.order).order_by(Payment.id))
    last = rows[-1]
    told = orders.settle(
        payment.order,
        authorized=sum(row.authorized for row in rows),
        captured=sum(row.captured for row in rows),
        refunded=_gone_back(rows),
        # As it is, not as news: what is told twice says the same the second time.
        failed=bool(last.error_code) and last.status == "requires_payment_method",
    )
    excess.give_back(told, rows)


def _gone_back(rows: list[Payment]) -> int:
    """Return what customers have back of what was captured."""
    return sum(min(row.captured, row.refunded + row.lost) for row in rows)


def _tell(payment: Payment, news: News) -> None:
    if news.authorized:
        events.publish(events.authorized, payment, news.authorized)
    if news.captured:
        events.publish(events.captured, payment, news.captured)
    if news.failed:
        told = {"code": payment.error_code, "reason": payment.error}
        events.publish(events.failed, payment, payment.amount, **told)
    if news.canceled:
        events.publish(events.canceled, payment, payment.amount)
    if news.expired and not planning.asked_for(payment, "cancel"):
        flagging.flag(payment, "What was held was let go by the provider; it was never captured.")
    for row in news.refunds:
        told = {"refund": str(row.id), "reason": row.reason}
        events.publish(events.refunded, payment, row.amount, **told)
    for row in news.disputes:
        told = {"dispute": str(row.id), "dispute_status": row.status, "reason": row.reason}
        events.publish(events.disputed, payment, row.amount, **told)
        flagging.flag(payment, f"The customer's bank disputes it ({row.reason or row.status}).")
    for row in news.refunds_failed:
        flagging.flag(payment, f"A refund failed: {row.error or 'the bank sent it back'}.")
