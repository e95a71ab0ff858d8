"""``/audit``: who did what that matters to security."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bodega.database.tables import AuditRow
from bodega.security import audit_listing
from bodega_sdk import pagination
from bodega_sdk.http import Parameter, Request, Route
from bodega_sdk.schemas import Dict, Integer, Schema, String, Timestamp

if TYPE_CHECKING:
    from bodega.shop import Session

_TEXTS = (
    Parameter("actor", str, "Only acts of this one, e.g. account:0190…, command:ada, system."),
    Parameter("action", str, "Only this action; account.* finds all that begin so."),
    Parameter("target", str, "Only acts on this, e.g. account:0190…"),
)
_INSTANTS = (
    Parameter("since", str, "From this instant on, e.g. 2026-01-31 or 2026-01-31T12:00:00Z."),
    Parameter("until", str, "Before this instant."),
)


class AuditEntrySchema(Schema):
    """An act, and who did it."""

    seq = Integer(metadata={"description": "Its place in the log, from 1, without gaps."})
    at = Timestamp()
    actor = String(metadata={"description": "account:…, key:…, anonymous, command:…, job:…, …"})
    action = String()
    target = String()
    address = String(metadata={"description": "Of the client; empty unless it was a request."})
    request_id = String()
    details = Dict()
    hash = String(metadata={"description": "Seals the entry and all before it."})


class Audit:
    """The handlers."""

    def list(self, request: Request) -> dict[str, Any]:
        """Entries, newest first."""
        wanted = {item.name: request.query.get(item.name) for item in _TEXTS}
        instants = {item.name: _instant(item, request) for item in _INSTANTS}
        query = audit_listing.select(**wanted, **instants)  # type: ignore[arg-type]
        # The place is the key; as a number it is in the order of all others.
        newest = pagination.Ordering(
            "seq", AuditRow.seq, AuditRow.seq, AuditRow.seq, lambda row: row.seq
        )
        rows, envelope = pagination.paginate(
            query, request, newest, descending=True, count=pagination.count_rows(query)
        )
        return envelope | {"results": [audit_listing.as_json(row) for row in rows]}


def _instant(parameter: Parameter, request: Request) -> datetime | None:
    text = request.query.get(parameter.name)
    if text is None:
        return None
    try:
        return audit_listing.read_instant(text)
    except ValueError:
        message = "Expected an instant such as 2026-01-31T12:00:00Z."
        raise parameter.wrong(message, text) from None


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    return (
        Route(
            "GET", "/audit", Audit().list, "bodega.audit", "List the audit log, newest first",
            description="Security-relevant acts in a chain of hashes, which `bodega audit verify` "
            "checks.",
            parameters=(*pagination.parameters(50, 500), *_TEXTS, *_INSTANTS),
            returns=AuditEntrySchema, listing=True,
        ),
    )  # fmt: skip
