"""The console's pages: payments, and the ledger."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bodega_payments import ledger, showing
from bodega_payments.models import KINDS, LedgerEntry, Payment
from bodega_payments.providers import STATUSES
from bodega_sdk import ConsolePage, Money, Parameter, Request, setting
from bodega_sdk.console import PAGE, Badge, Block, Link, Notice, Table, page_links

_SIZE = 50
_TONES = {"succeeded": "good", "canceled": "plain", "requires_capture": "warning"}
_STATUS = Parameter("status", str, "Only of this status.", choices=STATUSES)
_FLAGGED = Parameter("flagged", bool, "Only those that somebody should look at, or only others.")
_ORDER = Parameter("order", UUID, "Only of this order.")
_KIND = Parameter("kind", str, "Only of this kind.", choices=KINDS)
#: What a row of the list is done with.
_HINT = (
    "Capture: bodega payments capture ID [AMOUNT]. Give back: bodega payments refund ID [AMOUNT]."
)


def pages() -> list[ConsolePage]:
    """Return the pages."""
    return [
        ConsolePage(
            "payments", "Payments", "payments.read_all", listed,
            "What was paid, the newest first.", (_STATUS, _FLAGGED, _ORDER, PAGE),
        ),
        ConsolePage(
            "payments/ledger", "Ledger of payments", "payments.read_all", entries,
            "What happened to money, the newest first.", (_ORDER, _KIND, PAGE),
        ),
    ]  # fmt: skip


def listed(request: Request) -> Iterator[Block]:
    """A portion of the payments."""
    name = setting("payments.provider")
    if showing.provider_is_test(name):
        yield Notice(f"New payments are test money: the provider is {name!r}.", "warning")
    flagged = Payment.select().where(Payment.flag != "").count()
    if flagged:
        yield Notice(f"{flagged} payment(s) were flagged for somebody to look at.", "warning")
    yield Notice(_HINT)
    rows = _portion(request, _selected(request))
    columns = ("Payment", "Order", "Status", "Amount", "Captured", "Refunded", "Can go back",
               "Held", "With", "Flag", "Made")  # fmt: skip
    yield Table(columns, [_row(row) for row in rows[:_SIZE]], empty="Nobody has paid yet.")
    yield page_links(request, more=len(rows) > _SIZE)


def _portion(request: Request, query: Any) -> list[Any]:
    number = request.query["page"]
    return list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))


def _selected(request: Request) -> Any:
    query, asked = Payment.select(), request.query
    if "status" in asked:
        query = query.where(Payment.status == asked["status"])
    if "order" in asked:
        query = query.where(Payment.order == asked["order"])
    if "flagged" in asked:
        has_flag = Payment.flag != ""
        query = query.where(has_flag if asked["flagged"] else ~has_flag)
    return query.order_by(Payment.id.desc())


def _row(row: Payment) -> tuple[Any, ...]:
    def money(minor: int) -> str:
        return f"{Money(minor, row.currency)} {row.currency}"

    return (
        row.id, Link(row.order_number, f"/console/payments/ledger?order={row.order}"),
        Badge(row.status, _TONES.get(row.status, "plain")), money(row.amount),
        money(row.captured), money(row.refunded), money(ledger.refundable(row)),
        money(row.authorized), f"{row.method_label} ({row.provider})",
        Badge(row.flag, "bad") if row.flag else None, row.created_at,
    )  # fmt: skip


def entries(request: Request) -> Iterator[Block]:
    """A portion of the ledger."""
    query = LedgerEntry.select().order_by(LedgerEntry.id.desc())
    if "order" in request.query:
        query = query.where(LedgerEntry.order == request.query["order"])
    if "kind" in request.query:
        query = query.where(LedgerEntry.kind == request.query["kind"])
    rows = _portion(request, query)
    columns = ("When", "What", "Amount", "Payment", "Order", "At the provider")
    yield Table(columns, [
        (row.created_at, row.kind, f"{Money(row.amount, row.currency)} {row.currency}",
         row.payment_id, row.order, row.fact)
        for row in rows[:_SIZE]
    ], empty="No money has moved yet.")  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)
