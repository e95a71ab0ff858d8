"""What came back of orders, as other addons may know it."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from bodega_orders.facts import ReturnFacts
from bodega_orders.models import RECEIVED, Line, Order, Return, ReturnLine
from bodega_sdk import Money


def returns_of(orders: Iterable[UUID]) -> dict[UUID, list[ReturnFacts]]:
    """Return what came back of orders by the orders' ids, the first first, in one query."""
    found: dict[UUID, list[ReturnFacts]] = {key: [] for key in orders}
    before: Counter[UUID] = Counter()
    parts: dict[UUID, tuple[Return, str, dict[UUID, tuple[int, Money]]]] = {}
    for row in _rows(list(found)) if found else ():
        line, returned = row.line, row.returned_in
        currency = line.order.currency
        pieces = (row.received, Money(_worth(line, before[line.id], row.received), currency))
        before[line.id] += row.received
        _, _, lines = parts.setdefault(returned.id, (returned, currency, {}))
        if row.received:
            lines[line.id] = pieces
    for returned, currency, lines in parts.values():
        amount = Money(returned.amount, currency)
        facts = ReturnFacts(returned.id, returned.order_id, returned.received_at, amount, lines)
        found[returned.order_id].append(facts)
    return found


def _rows(orders: list[UUID]) -> Iterable[ReturnLine]:
    query = ReturnLine.select(ReturnLine, Return, Line, Order)
    joined = query.join(Return).switch(ReturnLine).join(Line).join(Order)
    came = joined.where(Return.order.in_(orders), Return.status == RECEIVED)
    return list(came.order_by(Return.received_at, Return.id, Line.place))


def _worth(line: Line, before: int, pieces: int) -> int:
    """Return what pieces of a line were paid with, as receiving them reckons."""
    after = line.total * (before + pieces) // line.quantity
    return int(after - line.total * before // line.quantity)
