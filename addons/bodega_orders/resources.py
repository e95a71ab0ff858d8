"""The routes of orders."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ClassVar

from bodega_orders import (
    changing,
    filters,
    noting,
    placing,
    reaching,
    returning,
    returns,
    showing,
    tokens,
    wishing,
)
from bodega_orders.models import Line, Order, Return
from bodega_orders.reaching import MANAGE, READ_ALL, USE
from bodega_orders.return_schemas import RequestSchema, ReturnSchema
from bodega_orders.schemas import (
    CancellationSchema,
    HistorySchema,
    NoteSchema,
    OrderingSchema,
    OrderSchema,
    ShipmentSchema,
    SoldLineSchema,
)
from bodega_orders.telling import lines_of
from bodega_sdk import PUBLIC, Collection, Reply, Request, Route, transaction

#: Routes that a guest reaches by the token of an order.
_GUESTS: dict[str, Any] = {"objects": "own", "beyond": READ_ALL, "reads": tokens.READS_ORDER}


class Orders(Collection):
    """Orders: one's own, the one whose token is sent, and for staff all."""

    model, schema, noun = Order, OrderSchema, "order"
    read, write = USE, MANAGE
    objects, beyond = "own", READ_ALL
    keys = ("number",)
    always = ("lines",)
    filters = filters.ORDERS
    orderings: ClassVar = {"total": Order.total, "number": Order.number}
    verbs = ("list", "read", "change")

    def select(self, request: Request) -> Any:
        """Those that the caller reaches."""
        return reaching.reached(request)

    def whose(self, request: Request) -> None:
        """Nobody's in particular: guests have no account, and ``select`` sees to it."""

    def render(self, rows: Iterable[Order]) -> list[dict[str, Any]]:
        """Orders with their lines, which one query fetches for all of them."""
        orders = list(rows)
        shown = super().render(orders)
        showing.fill(orders, shown, lines_of([order.id for order in orders]))
        return shown

    def change(self, request: Request, row: Order, data: dict[str, Any]) -> Order:
        """Change what staff note of an order, and how it is sent."""
        for name, value in data.items():
            setattr(row, name, value)
        changing.save(row)
        return row

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, checkout, and what is done with an order."""
        read, listing, change = "GET", path, "PATCH"
        served = [
            replace(route, permission=PUBLIC, **_GUESTS)
            if route.method == read and route.path != listing
            else replace(route, objects="all", beyond="")
            if route.method == change
            else route
            for route in super().routes(path)
        ]
        return (self._placing(path), *served, *self._customers(path), *self._staffs(path))

    def _placing(self, path: str) -> Route:
        return Route(
            "POST", path, self._place, PUBLIC, "Place an order", body=OrderingSchema,
            returns=self.shape, status=201, idempotent=True, reads=tokens.READS_CART,
            tells={tokens.ORDER: "What a guest reaches the order with."},
            description="Of a cart, or of items. Nothing is paid here; its stock is kept for a "
            "while. What is short is a 409 `out-of-stock`; another total than the expected one a "
            "409 `totals-changed`; a cart that was ordered before a 409 `already-ordered`.",
        )  # fmt: skip

    def _customers(self, path: str) -> tuple[Route, ...]:
        item: str = f"{path}/{{id}}"
        more: dict[str, Any] = _GUESTS | {"path_types": self.path_types}
        return (
            Route("POST", f"{item}/cancel", self._cancel, PUBLIC, "Cancel an order",
                  body=CancellationSchema, returns=self.shape,
                  description="A customer may while it is pending or confirmed.", **more),
            Route("GET", f"{item}/history", self._history, PUBLIC, "See what happened to an order",
                  returns=HistorySchema, listing=True, **more),
            Route("GET", f"{item}/returns", self._returns, PUBLIC, "List the returns of an order",
                  returns=ReturnSchema, listing=True, **more),
            Route("POST", f"{item}/returns", self._request, PUBLIC, "Ask to send things back",
                  body=RequestSchema, returns=ReturnSchema, status=201, idempotent=True, **more),
            Route("POST", f"{item}/notes", self._note, PUBLIC, "Note something of an order",
                  body=NoteSchema, returns=HistorySchema, status=201, idempotent=True, **more),
        )  # fmt: skip

    def _staffs(self, path: str) -> tuple[Route, ...]:
        item: str = f"{path}/{{id}}"
        types = self.path_types
        told = {"confirm": "Confirm an order", "process": "Begin to get an order ready",
                "deliver": "Write down that an order arrived"}  # fmt: skip
        steps = {"confirm": changing.confirm, "process": changing.process,
                 "deliver": changing.deliver}  # fmt: skip
        simple = (
            Route("POST", f"{item}/{name}", self._step(steps[name]), MANAGE, summary,
                  returns=self.shape, path_types=types)
            for name, summary in told.items()
        )  # fmt: skip
        return (
            *simple,
            Route("POST", f"{item}/ship", self._ship, MANAGE, "Send an order",
                  body=ShipmentSchema, returns=self.shape, path_types=types),
        )  # fmt: skip

    # Handlers.

    def _place(self, request: Request) -> Reply:
        buyer = wishing.buyer_of(request)
        order = placing.place(buyer, wishing.wish_of(request, buyer.account))
        headers = {"Location": f"{request.raw.path.rstrip('/')}/{order.id}"}
        if buyer.account is None:
            headers[tokens.ORDER] = tokens.order_token(order.id)
        return Reply(self.show(order, request), 201, headers)

    def _step(self, step: Callable[..., None]) -> Callable[[Request], dict[str, Any]]:
        def act(request: Request) -> dict[str, Any]:
            with transaction():
                order = self.hold(request)
                step(order, reaching.by(request))
                return self.show(order, request)

        return act

    def _ship(self, request: Request) -> dict[str, Any]:
        body = dict(request.body)
        with transaction():
            order = self.hold(request)
            changing.ship(order, reaching.by(request), body.pop("note"), **body)
            return self.show(order, request)

    def _cancel(self, request: Request) -> dict[str, Any]:
        with transaction():
            order = self.hold(request)
            changing.cancel(order, reaching.by(request), request.body["reason"])
            return self.show(order, request)

    def _history(self, request: Request) -> dict[str, Any]:
        return noting.listed(self.get(request), request)

    def _note(self, request: Request) -> Reply:
        with transaction():
            order = self.hold(request)
            made = noting.add(order, reaching.by(request), **request.body)
            return Reply(noting.shown(made, request), 201)

    def _returns(self, request: Request) -> dict[str, Any]:
        order = self.get(request)
        query = Return.select(Return, Order).join(Order).where(Return.order == order.id)
        rows = returns.shown(query.order_by(Return.id))
        return {"count": len(rows), "next": None, "previous": None, "results": rows}

    def _request(self, request: Request) -> Reply:
        wanted = returns.by_line(request.body["lines"])
        counts = {key: one["quantity"] for key, one in wanted.items()}
        with transaction():
            order = self.hold(request)
            by = reaching.by(request)
            made = returning.request(order, by, counts, request.body["reason"])
            made.order = order
            return Reply(returns.shown([made])[0], 201)


class Lines(Collection):
    """What was ordered of one's own organization's products, and for staff everything."""

    model, schema, noun, nouns = Line, SoldLineSchema, "ordered line", "what was ordered"
    read = write = "orders.read_lines"
    objects, beyond, owner = "organization", READ_ALL, Line.organization
    filters = filters.LINES
    orderings: ClassVar = {"quantity": Line.quantity}
    verbs = ("list",)

    def select(self, request: Request) -> Any:
        """Lines with their orders."""
        return Line.select(Line, Order).join(Order)
