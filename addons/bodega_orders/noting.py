"""Notes, and what happened to an order: staff read all of it, customers what is for them."""

from typing import Any

from bodega_orders import changing, statuses
from bodega_orders.models import History, Order
from bodega_orders.reaching import READ_ALL
from bodega_orders.schemas import HistorySchema
from bodega_orders.statuses import By
from bodega_sdk import Request
from bodega_sdk.errors import Conflict, FieldError, PermissionDenied

#: Notes that a customer can write of one order.
MOST = 50


def add(order: Order, by: By, note: str, *, visible: bool) -> History:
    """Write a note of an order.

    Raises:
        PermissionDenied: a customer would hide it from customers.
        Conflict: a customer has written too many.
    """
    if by.role == statuses.CUSTOMER:
        _refuse(order, visible=visible)
    return changing.note(order, by, note, visible=visible)


def _refuse(order: Order, *, visible: bool) -> None:
    if not visible:
        message = "Only the shop's people write notes that customers do not see."
        raise PermissionDenied(message, [FieldError("visible", message, False)])
    theirs = (History.order == order.id) & (History.role == statuses.CUSTOMER)
    if History.select().where(theirs, History.status == "").count() >= MOST:
        raise Conflict(f"An order takes {MOST} notes of its customer; write to the shop.")


def listed(order: Order, request: Request) -> dict[str, Any]:
    """Return the history of an order as a page: all of it, the oldest first."""
    query = History.select().where(History.order == order.id)
    if not request.identity.may(READ_ALL):
        query = query.where(History.visible)
    rows = [shown(row, request) for row in query.order_by(History.id)]
    return {"count": len(rows), "next": None, "previous": None, "results": rows}


def shown(row: History, request: Request) -> dict[str, Any]:
    """Return a row of the history as it is shown."""
    found: dict[str, Any] = HistorySchema().dump(row)
    if not request.identity.may(READ_ALL):
        found.pop("account")
    return found
