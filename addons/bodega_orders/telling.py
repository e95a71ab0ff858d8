"""What other addons may know of orders: their facts, made in two queries for all of them."""

from collections.abc import Sequence
from uuid import UUID

from bodega_orders.facts import DiscountFacts, LineFacts, OrderFacts
from bodega_orders.models import Line, Order


def facts_of(order: Order, lines: Sequence[Line] | None = None) -> OrderFacts:
    """Return what is known of an order.

    Args:
        lines: its lines, if they have been read already.
    """
    found = lines_of([order.id])[order.id] if lines is None else lines
    money = order.money
    return OrderFacts(
        id=order.id, number=order.number, account=order.account, email=order.email,
        status=order.status, payment_status=order.payment_status,
        subtotal=money(order.subtotal), discount=money(order.discount),
        shipping=money(order.shipping), tax=money(order.tax), total=money(order.total),
        captured=money(order.captured), refunded=money(order.refunded),
        codes=tuple(order.codes), lines=tuple(_line(order, line) for line in found),
        discounts=_discounts(order), shipping_address=order.shipping_address,
        billing_address=order.billing_address, placed_at=order.created_at,
        expires_at=order.expires_at, paid_at=order.paid_at, cancelled_at=order.cancelled_at,
        refunded_at=order.refunded_at,
    )  # fmt: skip


def lines_of(orders: Sequence[UUID]) -> dict[UUID, list[Line]]:
    """Return the lines of orders by the orders' ids, in their order, in one query."""
    found: dict[UUID, list[Line]] = {key: [] for key in orders}
    query = Line.select().where(Line.order.in_(list(orders))).order_by(Line.order, Line.place)
    for line in query if found else ():
        found[line.order_id].append(line)
    return found


def _line(order: Order, line: Line) -> LineFacts:
    money = order.money
    return LineFacts(
        id=line.id, item=line.item, product=line.product, variant=line.variant, sku=line.sku,
        name=line.name, quantity=line.quantity, unit_price=money(line.unit_price),
        discount=money(line.discount), tax=money(line.tax), total=money(line.total),
        organization=line.organization, returned=line.returned,
    )  # fmt: skip


def _discounts(order: Order) -> tuple[DiscountFacts, ...]:
    return tuple(
        DiscountFacts(one["source"], one["reference"], one["label"], order.money(one["amount"]))
        for one in order.discounts
    )
