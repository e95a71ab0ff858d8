"""Which orders somebody reaches: their own, the one whose token they have, or all."""

from typing import Any
from uuid import UUID

from bodega_orders import statuses, tokens
from bodega_orders.models import Order
from bodega_orders.statuses import By
from bodega_sdk import Identity, Request

USE, READ_ALL, MANAGE = "orders.use", "orders.read_all", "orders.manage"
_NOBODYS = "00000000-0000-0000-0000-000000000000"


def reached(request: Request) -> Any:
    """Return the query of the orders that a request reaches."""
    query, identity = Order.select(), request.identity
    if identity.may(READ_ALL):
        return query
    token = tokens.order_of(request)
    seen = Order.id == (token or UUID(_NOBODYS))
    mine = own(identity)
    return query.where(seen if mine is None else seen | (Order.account == mine))


def own(identity: Identity) -> UUID | None:
    """Return the account whose orders somebody may see as their own; None for none."""
    try:
        return UUID(identity.subject) if identity.may(USE) else None
    except ValueError:
        return None


def by(request: Request) -> By:
    """Return as whom a request acts on an order that it reaches."""
    identity = request.identity
    role = statuses.STAFF if identity.may(MANAGE) else statuses.CUSTOMER
    return By(role, identity.subject if identity.authenticated else "")


def may_follow(identity: Identity, key: str) -> bool:
    """Whether somebody may follow the news of an order."""
    try:
        order = Order.find(UUID(key))
    except ValueError:
        return False
    if identity.may(READ_ALL):
        return order is not None
    mine = own(identity)
    return order is not None and mine is not None and order.account == mine
