"""From a quote to the rows of an order: what it was placed with, as it stays."""

from datetime import datetime
from typing import Any

from bodega_orders.drafts import Entry, Quote, QuotedLine
from bodega_orders.models import Line, Order
from bodega_sdk import uuid7


def order_of(told: Quote, at: datetime, expires: datetime) -> Order:
    """Return the row of an order, which nobody has written yet."""
    draft = told.draft
    return Order(
        id=uuid7(), created_at=at, updated_at=at, expires_at=expires,
        account=draft.account, email=draft.email, currency=draft.currency,
        subtotal=told.subtotal.minor, discount=told.discount.minor,
        shipping=told.shipping.minor, tax=told.tax.minor, total=told.total.minor,
        prices_include_tax=told.prices_include_tax, codes=list(draft.codes),
        discounts=_discounts(told), entries=[_entry(one) for one in told.entries],
        shipping_method=draft.shipping_method,
    )  # fmt: skip


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "label": one.label,
        "amount": one.amount.minor,
        "item": None if one.item is None else str(one.item),
        "source": one.source,
        "reference": one.reference,
        "included": None if one.included is None else one.included.minor,
    }


def _discounts(told: Quote) -> list[dict[str, Any]]:
    """Return what each discount comes to, in their order."""
    found: dict[tuple[str, str], dict[str, Any]] = {
        (one.source, one.reference): {
            "source": one.source, "reference": one.reference, "label": one.label, "amount": 0,
        }
        for one in told.discounts
    }  # fmt: skip
    for entry in told.entries:
        if entry.kind == "discount":
            found[entry.source, entry.reference]["amount"] -= entry.amount.minor
    return list(found.values())


def line_of(order: Order, place: int, one: QuotedLine) -> Line:
    """Return the row of a line, which nobody has written yet."""
    line = one.line
    return Line(
        id=uuid7(), created_at=order.created_at, updated_at=order.created_at, order=order.id,
        place=place, item=line.item, product=line.product, variant=line.variant, sku=line.sku,
        name=line.name, options=dict(line.options), quantity=line.quantity,
        unit_price=line.unit_price.minor, discount=one.discount.minor, tax=one.tax.minor,
        total=one.total.minor, organization=line.organization, digital=line.digital,
    )  # fmt: skip
