"""The kernel's page of the audit log."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bodega.console.activity import SHOWN, SIZE
from bodega.database.tables import AuditRow
from bodega.security import audit_listing
from bodega_sdk.console import PAGE, Block, ConsolePage, Table, page_links
from bodega_sdk.http import Parameter, Request

if TYPE_CHECKING:
    from bodega.shop import Session

_FILTERS = (
    Parameter("actor", str, "Only acts of this one."),
    Parameter("action", str, "Only this action; account.* finds all that begin so."),
    Parameter("target", str, "Only acts on this."),
)


def pages(session: "Session") -> tuple[ConsolePage, ...]:
    """Return the pages."""
    summary = "Acts that matter to security, newest first."
    return (ConsolePage("audit", "Audit log", "bodega.audit", entries, summary, (*_FILTERS, PAGE)),)


def entries(request: Request) -> Iterator[Block]:
    """The entries, one portion at a time."""
    number = request.query["page"]
    wanted = {item.name: request.query.get(item.name) for item in _FILTERS}
    query = audit_listing.select(**wanted).order_by(AuditRow.seq.desc())
    rows = list(query.limit(SIZE + 1).offset((number - 1) * SIZE))
    columns = ("Place", "When", "Who", "From", "What", "To what", "Details")
    yield Table(columns, [_cells(row) for row in rows[:SIZE]], empty="There are no such entries.")
    yield page_links(request, more=len(rows) > SIZE)


def _cells(row: AuditRow) -> tuple[Any, ...]:
    details = json.dumps(audit_listing.details(row), ensure_ascii=False)
    return (
        str(row.seq), row.at, row.actor, row.address, row.action, row.target,
        details if len(details) <= SHOWN else f"{details[:SHOWN]}…",
    )  # fmt: skip
