"""What other addons may call, and what a provider of another addon is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bodega_payments.models import LedgerEntry, Payment
from bodega_payments.providers import (
    BadSignature,
    Customer,
    Declined,
    Dispute,
    Intent,
    IntentRequest,
    Method,
    Misconfigured,
    Provider,
    ProviderDown,
    ProviderError,
    ProviderEvent,
    Refund,
    Refused,
    Setup,
    Usage,
)
from bodega_sdk import Money

__all__ = [
    "BadSignature",
    "Customer",
    "Declined",
    "Dispute",
    "EntryFacts",
    "Intent",
    "IntentRequest",
    "Method",
    "Misconfigured",
    "PaymentFacts",
    "Provider",
    "ProviderDown",
    "ProviderError",
    "ProviderEvent",
    "Refund",
    "Refused",
    "Setup",
    "Usage",
    "entries_of",
    "payments_of",
]


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """A payment.

    Args:
        order: id of the order.
        provider: who collects the money.
        status: as :data:`bodega_payments.providers.STATUSES` has them.
        authorized: what is held now; ``captured`` and ``refunded`` are all that ever was.
        flag: why somebody should look at it; empty when nobody need.
    """

    id: UUID
    order: UUID
    provider: str
    status: str
    amount: Money
    authorized: Money
    captured: Money
    refunded: Money
    flag: str


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """A line of the ledger: something that happened to money.

    Args:
        kind: one of :data:`bodega_payments.models.KINDS`.
        provider: who collected it.
        at: when it was written down.
    """

    order: UUID
    provider: str
    kind: str
    amount: Money
    at: datetime


def entries_of(orders: Iterable[UUID]) -> dict[UUID, list[EntryFacts]]:
    """Return what happened to the money of orders by their ids, the oldest first, in one query."""
    found: dict[UUID, list[EntryFacts]] = {key: [] for key in orders}
    query = LedgerEntry.select(
        LedgerEntry.order, Payment.provider, LedgerEntry.kind, LedgerEntry.amount,
        LedgerEntry.currency, LedgerEntry.created_at,
    ).join(Payment)  # fmt: skip
    mine = query.where(LedgerEntry.order.in_(list(found)))
    rows = mine.order_by(LedgerEntry.created_at, LedgerEntry.id).tuples() if found else ()
    for order, provider, kind, amount, currency, at in rows:
        found[order].append(EntryFacts(order, provider, kind, Money(amount, currency), at))
    return found


def payments_of(orders: Iterable[UUID]) -> dict[UUID, tuple[PaymentFacts, ...]]:
    """Return the payments of orders by the orders' ids, the oldest first, in one query."""
    found: dict[UUID, tuple[PaymentFacts, ...]] = dict.fromkeys(orders, ())
    rows = Payment.select().where(Payment.order.in_(list(found))).order_by(Payment.id)
    for row in rows if found else ():
        found[row.order] = (*found[row.order], _facts(row))
    return found


def _facts(row: Payment) -> PaymentFacts:
    names = ("amount", "authorized", "captured", "refunded")
    sums = {name: Money(getattr(row, name), row.currency) for name in names}
    return PaymentFacts(row.id, row.order, row.provider, row.status, flag=row.flag, **sums)
