"""What other addons may know of an order; frozen, as it is at the time of asking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bodega_sdk import Money


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line of an order.

    Args:
        id: the line's.
        item: id of the variant, or of the product without one.
        discount, tax: its shares.
        total: what it adds to the order's total, without shipping.
        returned: how many came back.
    """

    id: UUID
    item: UUID
    product: UUID
    variant: UUID | None
    sku: str
    name: str
    quantity: int
    unit_price: Money
    discount: Money
    tax: Money
    total: Money
    organization: UUID | None
    returned: int


@dataclass(frozen=True, slots=True)
class ReturnFacts:
    """Things of an order that came back.

    Args:
        amount: what they were paid with.
        lines: of each line that something came back of, how many pieces and what these were
            paid with.
    """

    id: UUID
    order: UUID
    received_at: datetime
    amount: Money
    lines: Mapping[UUID, tuple[int, Money]]


@dataclass(frozen=True, slots=True)
class DiscountFacts:
    """A discount of an order: what a ``Discount`` was, summed up.

    Args:
        source: name of the addon that gave it.
        reference: what it is there.
        amount: what came off, free shipping too.
    """

    source: str
    reference: str
    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order.

    Args:
        number: what people call it.
        account: who bought; None for a guest.
        email: of who bought, in lower case.
        status: ``pending``, ``confirmed``, ``processing``, ``shipped``, ``delivered``,
            ``cancelled`` or ``refunded``.
        payment_status: ``unpaid``, ``authorized``, ``paid``, ``partially_refunded``,
            ``refunded`` or ``failed``.
        captured, refunded: what payments say.
        codes: what the customer typed in for a discount.
        paid_at, cancelled_at, refunded_at: when that happened; None when it did not.
    """

    id: UUID
    number: str
    account: UUID | None
    email: str
    status: str
    payment_status: str
    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    captured: Money
    refunded: Money
    codes: tuple[str, ...]
    lines: tuple[LineFacts, ...]
    discounts: tuple[DiscountFacts, ...]
    shipping_address: Mapping[str, Any]
    billing_address: Mapping[str, Any]
    placed_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an order when its payments were told.

    Args:
        due: the order as it is now.
        excess: what is held or was taken above what the order wants, zero or more: it was
            cancelled, its stock is gone, or it was paid twice. Void or give back so much.
    """

    due: OrderFacts
    excess: Money
