"""Payments that a person should look at."""

from bodega_payments import events
from bodega_payments.models import Payment


def flag(payment: Payment, reason: str) -> None:
    """Mark a payment, whose order is held, and tell staff; once for each reason."""
    reason = reason[:200]
    if payment.flag == reason:
        return
    payment.flag = reason
    Payment.update(flag=reason).where(Payment.id == payment.id).execute()
    events.publish(events.flagged, payment, payment.amount, reason=reason)
