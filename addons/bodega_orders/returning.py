"""Returns: asked for, decided about, received. Call these with the order's row held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import peewee

from bodega_inventory.api import Item
from bodega_orders import changing, events, statuses, stock
from bodega_orders.errors import WrongStatus
from bodega_orders.models import (
    APPROVED,
    RECEIVED,
    REJECTED,
    REQUESTED,
    Line,
    Order,
    Return,
    ReturnLine,
)
from bodega_orders.statuses import By
from bodega_orders.telling import lines_of
from bodega_sdk import Event, now
from bodega_sdk.errors import FieldError, InvalidInput

#: Statuses of an order that things can be sent back from.
_SENT = (statuses.SHIPPED, statuses.DELIVERED)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came back of a line.

    Args:
        quantity: how many pieces.
        restock: whether they can be sold again; None where the line's kind says it.
    """

    quantity: int
    restock: bool | None = None


def request(order: Order, by: By, wanted: Mapping[UUID, int], reason: str) -> Return:
    """Ask to send things back.

    Args:
        wanted: how many, by the lines' ids.

    Raises:
        WrongStatus: nothing of the order was sent yet, or it is over.
        InvalidInput: a line is not the order's, or more than is left of it is named.
    """
    if order.status not in _SENT:
        message = f"The order is {order.status}; what was shipped or delivered can be sent back."
        raise WrongStatus(order.status, message)
    lines = {line.id: line for line in lines_of([order.id])[order.id]}
    _refuse(lines, wanted)
    made: Return = Return.create(order=order.id, reason=reason)
    rows = [
        {"returned_in": made.id, "line": key, "quantity": count} for key, count in wanted.items()
    ]
    ReturnLine.insert_many(rows).execute()
    for key, count in wanted.items():
        Line.update(returning=Line.returning + count).where(Line.id == key).execute()
    changing.note(order, by, f"A return was asked for: {reason}")
    _tell(events.return_requested, order, made, reason=reason)
    return made


def _refuse(lines: Mapping[UUID, Line], wanted: Mapping[UUID, int]) -> None:
    errors = []
    for place, (key, count) in enumerate(wanted.items()):
        line = lines.get(key)
        left = line.quantity - line.returned - line.returning if line else 0
        if line is None:
            message = "The order has no line with this id."
            errors.append(FieldError(f"lines.{place}.line", message, str(key)))
        elif count > left:
            message = f"{left} of {line.quantity} can be sent back."
            errors.append(FieldError(f"lines.{place}.quantity", message, count))
    if errors:
        raise InvalidInput(f"'{errors[0].field}': {errors[0].message}", errors)


def approve(order: Order, returned: Return, by: By, answer: str = "") -> None:
    """Agree to a return; nothing the second time.

    Raises:
        WrongStatus: it was rejected, or has been received.
    """
    if returned.status != APPROVED:
        _decide(order, returned, by, APPROVED, (REQUESTED,), answer)


def reject(order: Order, returned: Return, by: By, answer: str = "") -> None:
    """Refuse a return, also one that was agreed to; nothing the second time.

    Raises:
        WrongStatus: it has been received.
    """
    if returned.status == REJECTED:
        return
    _decide(order, returned, by, REJECTED, (REQUESTED, APPROVED), answer)
    for row in _rows(returned):
        left = Line.returning - row.quantity
        Line.update(returning=left).where(Line.id == row.line_id).execute()


def _decide(
    order: Order, returned: Return, by: By, status: str, known: Sequence[str], answer: str
) -> None:
    if returned.status not in known:
        raise WrongStatus(returned.status, f"The return is {returned.status} already.")
    returned.status, returned.answer, returned.decided_at = status, answer, now()
    _save(returned)
    changing.note(order, by, f"The return was {status}. {answer}".strip())
    _tell(events.return_decided, order, returned, answer=answer)


def receive(order: Order, returned: Return, by: By, arrived: Mapping[UUID, Arrived]) -> None:
    """Write down that things came back; nothing the second time.

    Args:
        arrived: by the lines' ids; all that was agreed to when empty.

    Raises:
        WrongStatus: it was not agreed to.
        InvalidInput: a line is not the return's, or more came than was agreed to.
    """
    if returned.status == RECEIVED:
        return
    if returned.status != APPROVED:
        raise WrongStatus(returned.status, f"The return is {returned.status}; approve it first.")
    rows = {row.line_id: row for row in _rows(returned)}
    came = dict(arrived) or {key: Arrived(row.quantity) for key, row in rows.items()}
    _refuse_more(rows, came)
    shelf, amount = [], 0
    for key, row in rows.items():
        one = came.get(key, Arrived(0))
        amount += _take(row, one)
        if row.restocked:
            shelf.append(Item(row.line.product, row.line.variant, one.quantity))
    stock.put_back(shelf, order, f"return:{returned.id}", "It was sent back.", by.account)
    returned.status, returned.amount, returned.received_at = RECEIVED, amount, now()
    _save(returned)
    changing.note(order, by, "What was sent back arrived.")
    _tell(events.return_received, order, returned, amount=str(order.money(amount)))


def _refuse_more(rows: Mapping[UUID, ReturnLine], came: Mapping[UUID, Arrived]) -> None:
    errors = []
    for place, (key, one) in enumerate(came.items()):
        row = rows.get(key)
        if row is None:
            message = "The return has no such line."
            errors.append(FieldError(f"lines.{place}.line", message, str(key)))
        elif one.quantity > row.quantity:
            message = f"{row.quantity} were to come back."
            errors.append(FieldError(f"lines.{place}.quantity", message, one.quantity))
    if errors:
        raise InvalidInput(f"'{errors[0].field}': {errors[0].message}", errors)


def _take(row: ReturnLine, one: Arrived) -> int:
    """Write down what came back of a line; return what that was paid with, in minor units."""
    line = row.line
    row.received = one.quantity
    wanted = not line.digital if one.restock is None else one.restock
    row.restocked = bool(one.quantity and wanted)
    row.save()
    counts = {"returned": Line.returned + one.quantity, "returning": Line.returning - row.quantity}
    Line.update(counts).where(Line.id == line.id).execute()
    # By what came back in all, so that the parts of a line add up to it.
    after = line.total * (line.returned + one.quantity) // line.quantity
    return int(after - line.total * line.returned // line.quantity)


def _rows(returned: Return) -> list[ReturnLine]:
    query = ReturnLine.select(ReturnLine, Line).join(Line)
    return list(query.where(ReturnLine.returned_in == returned.id).order_by(Line.place))


def _save(returned: Return) -> None:
    returned.updated_at = now()
    returned.save()


def _tell(event: Event, order: Order, returned: Return, **more: str) -> None:
    lines = [
        {"line": row.line_id, "item": row.line.item, "name": row.line.name,
         "quantity": row.received if returned.status == RECEIVED else row.quantity}
        for row in _rows(returned)
    ]  # fmt: skip
    about = {"return": returned.id, "return_status": returned.status, "lines": lines}
    events.publish(event, order, **about, **more)


def lines_by_return(returns: Sequence[UUID]) -> dict[UUID, list[ReturnLine]]:
    """Return the lines of returns by the returns' ids, in one query."""
    found: dict[UUID, list[ReturnLine]] = {key: [] for key in returns}
    query = ReturnLine.select(ReturnLine, Line).join(Line, peewee.JOIN.INNER)
    mine = query.where(ReturnLine.returned_in.in_(list(returns))).order_by(Line.place)
    for row in mine if found else ():
        found[row.returned_in_id].append(row)
    return found
