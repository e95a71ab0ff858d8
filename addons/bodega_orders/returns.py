"""The routes of returns: those of one order, and for staff all of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from bodega_orders import reaching, returning
from bodega_orders.models import RETURN_STATUSES, Order, Return
from bodega_orders.reaching import MANAGE, READ_ALL
from bodega_orders.return_schemas import AnswerSchema, ArrivalSchema, ReturnSchema
from bodega_sdk import Collection, Filter, Parameter, Request, Route, transaction
from bodega_sdk.errors import InvalidInput, NotFound
from bodega_sdk.money import decimal_text


class Returns(Collection):
    """All returns, the newest first."""

    model, schema, noun = Return, ReturnSchema, "return"
    read, write = READ_ALL, MANAGE
    filters = (
        Filter(Parameter("status", str, "Only this status.", choices=RETURN_STATUSES),
               lambda value: Return.status == value),
        Filter(Parameter("order", UUID, "Only of this order."),
               lambda value: Return.order == value),
    )  # fmt: skip
    verbs = ("list", "read")
    orderings: ClassVar = {"updated_at": Return.updated_at}

    def select(self, request: Request) -> Any:
        """Returns with their orders."""
        return Return.select(Return, Order).join(Order)

    def render(self, rows: Iterable[Return]) -> list[dict[str, Any]]:
        """Returns with their lines."""
        return shown(rows)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and what the shop decides."""
        item: str = f"{path}/{{id}}"
        return (
            *super().routes(path),
            Route("POST", f"{item}/approve", self._decide(returning.approve), MANAGE,
                  "Agree to a return", body=AnswerSchema, returns=ReturnSchema),
            Route("POST", f"{item}/reject", self._decide(returning.reject), MANAGE,
                  "Refuse a return", body=AnswerSchema, returns=ReturnSchema),
            Route("POST", f"{item}/receive", self._receive, MANAGE,
                  "Write down that things came back", body=ArrivalSchema, returns=ReturnSchema,
                  description="All of it without `lines`. The money is given back by payments."),
        )  # fmt: skip

    def _decide(self, decision: Callable[..., None]) -> Callable[[Request], dict[str, Any]]:
        def act(request: Request) -> dict[str, Any]:
            with transaction():
                order, found = self._held(request)
                decision(order, found, reaching.by(request), request.body["answer"])
                return self.show(found, request)

        return act

    def _receive(self, request: Request) -> dict[str, Any]:
        arrived = {
            key: returning.Arrived(one["quantity"], one["restock"])
            for key, one in by_line(request.body["lines"]).items()
        }
        with transaction():
            order, found = self._held(request)
            returning.receive(order, found, reaching.by(request), arrived)
            return self.show(found, request)

    def _held(self, request: Request) -> tuple[Order, Return]:
        """Hold the order first, as everybody does, and then its return."""
        order = Order.find(self.get(request).order_id, lock=True)
        found: Return = self.hold(request)
        if order is None:
            raise NotFound("The order of this return is gone.")
        found.order = order
        return order, found


def by_line(sent: Iterable[Mapping[str, Any]]) -> dict[UUID, Mapping[str, Any]]:
    """Return what was said of lines by their ids.

    Raises:
        InvalidInput: a line is named twice.
    """
    listed = list(sent)
    found = {one["line"]: one for one in listed}
    if len(found) < len(listed):
        raise InvalidInput("'lines': Name each line but once.")
    return found


def shown(rows: Iterable[Return]) -> list[dict[str, Any]]:
    """Return returns as they are shown; their orders are joined to them."""
    returns = list(rows)
    lines = returning.lines_by_return([row.id for row in returns])
    return [_shown(row, lines[row.id]) for row in returns]


def _shown(row: Return, lines: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = ReturnSchema().dump(row)
    found["amount"] = decimal_text(row.amount, row.order.currency)
    found["currency"] = row.order.currency
    found["number"] = row.order.number
    found["lines"] = [
        {"line": str(one.line_id), "sku": one.line.sku, "name": one.line.name,
         "quantity": one.quantity, "received": one.received, "restocked": one.restocked}
        for one in lines
    ]  # fmt: skip
    return found
