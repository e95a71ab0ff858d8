"""The kernel's page of mails: all of them, or one with what it says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from bodega.database.tables import MailRow
from bodega.mail import box
from bodega.mail.box import STATUSES
from bodega_sdk.console import (
    PAGE,
    Badge,
    Block,
    ConsolePage,
    Facts,
    Heading,
    Link,
    Notice,
    Table,
    Text,
    page_links,
)
from bodega_sdk.http import Parameter, Request

if TYPE_CHECKING:
    from bodega.shop import Session

READ = "bodega.mail"
SIZE = 50
_TONES = {"sent": "good", "failed": "bad", "queued": "warning"}
_ONE = Parameter("id", UUID, "Show this mail.")
_STATUS = Parameter("status", str, "Only mails of this status.", choices=STATUSES)
_TO = Parameter("to", str, "Only mails to this address.")


def pages(session: "Session") -> tuple[ConsolePage, ...]:
    """Return the page."""
    return (
        ConsolePage(
            "mail", "Mail", READ, lambda request: mail(session, request),
            "What the shop wrote to people, newest first.", (_ONE, _TO, _STATUS, PAGE),
        ),
    )  # fmt: skip


def mail(session: "Session", request: Request) -> Iterator[Block]:
    """One mail, or a portion of them."""
    wanted = request.query.get("id")
    yield from _all(session, request) if wanted is None else _one(session, wanted)


def _all(session: "Session", request: Request) -> Iterator[Block]:
    number = request.query["page"]
    query = box.select(to=request.query.get("to"), status=request.query.get("status"))
    found = query.order_by(MailRow.id.desc()).limit(SIZE + 1).offset((number - 1) * SIZE)
    rows = list(found)
    if not session.shop.settings.smtp_url:
        yield Notice("BODEGA_SMTP_URL is not set: mail is kept here and sent to nobody.")
    cells = [
        (
            Link(row.subject, f"/console/mail?id={row.id}"), row.to,
            Badge(row.status, _TONES.get(row.status, "plain")), row.created_at, row.error,
        )
        for row in rows[:SIZE]
    ]  # fmt: skip
    yield Table(("Subject", "To", "Status", "Written", "Error"), cells, empty="There is no mail.")
    yield page_links(request, more=len(rows) > SIZE)


def _one(session: "Session", wanted: UUID) -> Iterator[Block]:
    row, body = box.read(session.shop, wanted)
    yield Facts((
        ("To", row.to), ("Subject", row.subject),
        ("Status", Badge(row.status, _TONES.get(row.status, "plain"))),
        ("Written", row.created_at), ("Sent", row.sent_at), ("Tries", row.attempts),
        ("Error", row.error), ("Message-ID", row.message_id),
        ("All mails", Link("back to the list", "/console/mail")),
    ))  # fmt: skip
    yield Heading("What it says")
    yield Text(body.text if body else "It was sent; what it said is not kept.")
