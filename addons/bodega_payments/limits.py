"""Limits: a shop is no place to try out stolen cards."""

from collections.abc import Callable

from bodega_payments.errors import PaymentDeclined
from bodega_payments.models import Payment
from bodega_sdk import RateLimit, Request

#: Declines from one address in an hour. What is paid is never counted.
DECLINES = RateLimit("payments.declined", 30, 3600)


def trying(request: Request, do: Callable[[], Payment]) -> Payment:
    """Try to pay, unless too many were declined from this address.

    Raises:
        TooManyRequests: they were.
    """
    if not DECLINES.left(request.address):
        DECLINES.hit(request.address)
    try:
        return do()
    except PaymentDeclined:
        DECLINES.hit(request.address)
        raise
