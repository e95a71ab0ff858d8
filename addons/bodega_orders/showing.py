"""How orders, their lines and quotes look outside."""

from collections.abc import Iterable, Sequence
from typing import Any

from bodega_orders import statuses
from bodega_orders.models import Line, Order
from bodega_sdk.money import decimal_text

#: Whose orders are told to be whose: a line's amounts.
_LINE_AMOUNTS = ("unit_price", "discount", "tax", "total")
_LINE_MEMBERS = (
    "id", "product", "variant", "sku", "name", "options", "quantity", "returned", "digital"
)  # fmt: skip


def line(row: Line, currency: str) -> dict[str, Any]:
    """Return a line as it is shown."""
    shown = {name: getattr(row, name) for name in _LINE_MEMBERS}
    amounts = {name: decimal_text(getattr(row, name), currency) for name in _LINE_AMOUNTS}
    return shown | amounts


def fill(orders: Sequence[Order], shown: Iterable[dict[str, Any]], lines: Any) -> None:
    """Write lines into orders that are shown.

    Args:
        lines: by the orders' ids.
    """
    for order, item in zip(orders, shown, strict=True):
        item["lines"] = [line(row, order.currency) for row in lines[order.id]]


def entries(order: Order) -> list[dict[str, Any]]:
    """Return what explains an order's total."""
    return [
        one
        | {
            "amount": decimal_text(one["amount"], order.currency),
            "included": _text(one["included"], order),
        }
        for one in order.entries
    ]


def discounts(order: Order) -> list[dict[str, Any]]:
    """Return what came off, by whom."""
    return [
        one | {"amount": decimal_text(one["amount"], order.currency)} for one in order.discounts
    ]


def _text(minor: int | None, order: Order) -> str | None:
    return None if minor is None else decimal_text(minor, order.currency)


def line_amount(row: Line, name: str) -> str:
    """Return an amount of a line, whose order is joined to it."""
    return decimal_text(getattr(row, name), row.order.currency)


#: What a vendor needs to know of a customer to send something: no way to reach them.
_SHIP_TO = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country")
_TO_SEND = (statuses.CONFIRMED, statuses.PROCESSING)


def ship_to(row: Line) -> dict[str, str] | None:
    """Return where a line's order goes, while it is to be sent; None otherwise."""
    if row.order.status not in _TO_SEND or row.digital:
        return None
    address = row.order.shipping_address
    return {name: address[name] for name in _SHIP_TO if address.get(name)}
