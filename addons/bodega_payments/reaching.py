"""Which payments somebody reaches: their own, those of the order whose token they have, or all."""

from typing import Any
from uuid import UUID

from bodega_orders import api as orders
from bodega_orders.api import OrderFacts
from bodega_payments.models import Payment
from bodega_sdk import Identity, Request
from bodega_sdk.errors import PermissionDenied, invalid

USE, READ_ALL, MANAGE = "payments.use", "payments.read_all", "payments.manage"
_NOBODYS = "00000000-0000-0000-0000-000000000000"


def own(identity: Identity) -> UUID | None:
    """Return the account whose payments somebody reaches as their own; None for none."""
    try:
        return UUID(identity.subject) if identity.may(USE) else None
    except ValueError:
        return None


def reached(request: Request) -> Any:
    """Return the query of the payments that a request reaches."""
    query, identity = Payment.select(), request.identity
    if identity.may(READ_ALL):
        return query
    token, mine = orders.order_of(request), own(identity)
    seen = Payment.order == (token or UUID(_NOBODYS))
    return query.where(seen if mine is None else seen | (Payment.account == mine))


def order_to_pay(request: Request, key: UUID) -> OrderFacts:
    """Return the order that somebody wants to pay for.

    Raises:
        InvalidInput: there is none that they reach.
    """
    identity, mine = request.identity, own(request.identity)
    token = orders.order_of(request)
    found = orders.orders_of([key]).get(key)
    theirs = found is not None and (
        identity.may(MANAGE) or token == key or (mine is not None and found.account == mine)
    )
    if found is None or not theirs:
        raise invalid("order", "You have no such order; guests send its Order-Token.", str(key))
    return found


def is_payer(request: Request, payment: Payment) -> bool:
    """Whether somebody pays themselves, not as one of the shop's people."""
    mine = own(request.identity)
    has_token = orders.order_of(request) == payment.order
    return has_token or (mine is not None and payment.account == mine)


def me(request: Request) -> UUID:
    """Return the account that is calling.

    Raises:
        PermissionDenied: it is none.
    """
    found = own(request.identity)
    if found is None:
        raise PermissionDenied("You have no account here.")
    return found
