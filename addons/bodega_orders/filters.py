"""What lists of orders can be narrowed by."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import peewee

from bodega_orders import statuses
from bodega_orders.models import Line, Order
from bodega_sdk import Filter, Parameter
from bodega_sdk.money import by_decimals


def moment(
    name: str, help: str, compare: Callable[[Any, Any], Any], column: Any
) -> Filter:  # fmt: skip
    """Return a filter by time."""
    parameter = Parameter(name, str, f"{help} ISO 8601, e.g. 2026-01-31 or 2026-01-31T12:00:00Z.")

    def condition(value: str) -> Any:
        try:
            found = datetime.fromisoformat(value.replace(" ", "+"))
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise parameter.wrong("Expected an instant in ISO 8601.", value) from None
        return compare(column, found)

    return Filter(parameter, condition)


def _total(name: str, help: str, compare: Callable[[Any, Any], Any]) -> Filter:
    """Return a filter by total, whatever decimals an order's currency has."""
    parameter = Parameter(name, Decimal, help, minimum=0, maximum=_LARGEST)

    def condition(value: Decimal) -> Any:
        known = by_decimals()
        cases = [(Order.currency.in_(codes), _minor(value, n)) for n, codes in known.items()]
        return compare(Order.total, peewee.Case(None, cases, _minor(value, 2)))

    def _minor(value: Decimal, places: int) -> int:
        # Amounts are whole: more is rounded so that nothing slips through.
        exact = value.scaleb(places)
        up = compare is operator.ge and exact != int(exact)
        return min(int(exact) + up, 2**62)

    return Filter(parameter, condition)


def _one_of(name: str, help: str, column: Any, known: tuple[str, ...]) -> Filter:
    """Return a filter by one value or several with commas between them."""
    parameter = Parameter(name, str, f"{help} Out of {', '.join(known)}; several with commas.")

    def condition(value: str) -> Any:
        wanted = value.split(",")
        unknown = [one for one in wanted if one not in known]
        if unknown:
            raise parameter.wrong(f"Expected some of: {', '.join(known)}.", value)
        return column.in_(wanted)

    return Filter(parameter, condition)


#: More than any total, whatever its currency.
_LARGEST = 10**15

ORDERS = (
    _one_of("status", "Only these statuses.", Order.status, statuses.STATUSES),
    _one_of("payment_status", "Only these.", Order.payment_status, statuses.PAYMENT_STATUSES),
    moment("created_after", "Placed at this time or later.", operator.ge, Order.created_at),
    moment("created_before", "Placed before this time.", operator.lt, Order.created_at),
    Filter(Parameter("number", str, "The one with this number."),
           lambda value: Order.number == value.upper()),
    Filter(Parameter("email", str, "Only of this address."),
           lambda value: Order.email == value.strip().lower()),
    Filter(Parameter("account", UUID, "Only of this account."),
           lambda value: Order.account == value),
    Filter(Parameter("product", UUID, "Only those that contain this product."),
           lambda value: Order.id.in_(Line.select(Line.order).where(Line.product == value))),
    _total("total_min", "This total or more.", operator.ge),
    _total("total_max", "This total or less.", operator.le),
)  # fmt: skip

LINES = (
    _one_of("status", "Only of orders in these statuses.", Order.status, statuses.STATUSES),
    Filter(Parameter("product", UUID, "Only of this product."),
           lambda value: Line.product == value),
    Filter(Parameter("organization", UUID, "Only of this organization's products."),
           lambda value: Line.organization == value),
    moment("created_after", "Ordered at this time or later.", operator.ge, Line.created_at),
    moment("created_before", "Ordered before this time.", operator.lt, Line.created_at),
)  # fmt: skip
