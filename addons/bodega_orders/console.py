"""The console's pages: orders, and one of them with all that is known of it."""

from collections.abc import Iterator
from typing import Any

from bodega_orders import statuses
from bodega_orders.models import History, Order
from bodega_orders.telling import lines_of
from bodega_sdk import ConsolePage, Parameter, Request
from bodega_sdk.console import (
    PAGE,
    Badge,
    Block,
    Facts,
    Heading,
    Link,
    Notice,
    Table,
    page_links,
)

_SIZE = 50
_TONES = {
    "pending": "warning", "confirmed": "good", "processing": "warning", "shipped": "good",
    "delivered": "good", "cancelled": "bad", "refunded": "bad", "paid": "good",
    "authorized": "good", "failed": "bad",
}  # fmt: skip
_STATUS = Parameter("status", str, "Only orders of this status.", choices=statuses.STATUSES)
_EMAIL = Parameter("email", str, "Only orders of this address.")
_NUMBER = Parameter("number", str, "Number of an order.")
_COMMANDS = {
    "confirm": "bodega orders confirm", "process": "bodega orders process",
    "ship": "bodega orders ship", "deliver": "bodega orders deliver",
    "cancel": "bodega orders cancel",
}  # fmt: skip


def pages() -> list[ConsolePage]:
    """Return the pages."""
    return [
        ConsolePage("orders", "Orders", "orders.read_all", listed,
                    "What was ordered, newest first.", (_STATUS, _EMAIL, PAGE)),
        ConsolePage("orders/order", "An order", "orders.read_all", shown,
                    "What was bought, why it costs that, and what happened to it.", (_NUMBER,)),
    ]  # fmt: skip


def listed(request: Request) -> Iterator[Block]:
    """A portion of the orders."""
    number = request.query["page"]
    rows = list(_selected(request).limit(_SIZE + 1).offset((number - 1) * _SIZE))
    columns = ("Number", "Placed", "Customer", "Status", "Payment", "Total", "Currency")
    yield Table(columns, [
        (Link(row.number, f"/console/orders/order?number={row.number}"), row.created_at,
         row.email, _badge(row.status), _badge(row.payment_status), row.money(row.total),
         row.currency)
        for row in rows[:_SIZE]
    ], empty="Nobody has ordered yet.")  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)


def _selected(request: Request) -> Any:
    query = Order.select().order_by(Order.created_at.desc(), Order.id.desc())
    if "status" in request.query:
        query = query.where(Order.status == request.query["status"])
    if "email" in request.query:
        query = query.where(Order.email == request.query["email"].strip().lower())
    return query


def _badge(word: str) -> Badge:
    return Badge(word.replace("_", " "), _TONES.get(word, "plain"))


def shown(request: Request) -> Iterator[Block]:
    """One order."""
    order = Order.get_or_none(Order.number == request.query.get("number", "").upper())
    if order is None:
        yield Notice("There is no order with this number; choose one from the list.", "warning")
        yield Facts([("Orders", Link("show the list", "/console/orders"))])
        return
    yield Facts([*_facts(order), *_actions(order)])
    yield Heading("What was bought")
    yield _lines(order)
    yield Heading("Why it costs that")
    yield Table(("Kind", "What", "Amount"), [
        (one["kind"], one["label"], order.money(one["amount"])) for one in order.entries
    ])  # fmt: skip
    yield Heading("What happened")
    yield _history(order)


def _facts(order: Order) -> Iterator[tuple[str, Any]]:
    yield "Number", order.number
    yield "Status", _badge(order.status)
    yield "Payment", _badge(order.payment_status)
    yield "Total", f"{order.money(order.total)} {order.currency}"
    yield "Taken", order.money(order.captured)
    yield "Given back", order.money(order.refunded)
    yield "Customer", order.email
    yield "Sent to", ", ".join(word for word in order.shipping_address.values() if word)
    yield "Their note", order.note
    yield "Our note", order.staff_note
    yield "Tracking", f"{order.carrier} {order.tracking_number}".strip()
    yield "Placed", order.created_at
    yield "Stock is kept until", order.expires_at


def _actions(order: Order) -> Iterator[tuple[str, Any]]:
    """What can be done with it; the console only reads."""
    for way in statuses.can(order.status, statuses.STAFF):
        yield way.action.capitalize(), f"{_COMMANDS[way.action]} {order.number}"


def _lines(order: Order) -> Table:
    columns = ("SKU", "Name", "Pieces", "Each", "Discount", "Tax", "Total", "Returned")
    money = order.money
    return Table(columns, [
        (row.sku, row.name, row.quantity, money(row.unit_price), money(row.discount),
         money(row.tax), money(row.total), row.returned)
        for row in lines_of([order.id])[order.id]
    ])  # fmt: skip


def _history(order: Order) -> Table:
    rows = History.select().where(History.order == order.id).order_by(History.id)
    columns = ("When", "Became", "Note", "By", "Customer sees it")
    return Table(columns, [
        (row.created_at, row.status, row.note, row.role, "yes" if row.visible else "no")
        for row in rows
    ])  # fmt: skip
