"""``/mail``: the mails that the shop wrote, for administrators."""

from typing import TYPE_CHECKING, Any

from bodega.database.tables import MailRow
from bodega.mail import box
from bodega.mail.box import STATUSES
from bodega_sdk import pagination
from bodega_sdk.http import Parameter, Request, Route
from bodega_sdk.schemas import Integer, Schema, String, Timestamp, Uuid

if TYPE_CHECKING:
    from bodega.shop import Session

READ = "bodega.mail"
_FILTERS = (
    Parameter("to", str, "Only mails to this address."),
    Parameter("status", str, "Only mails of this status.", choices=STATUSES),
)


class MailSchema(Schema):
    """A mail and what became of it."""

    id = Uuid()
    to = String()
    subject = String()
    status = String(metadata={"enum": list(STATUSES)})
    attempts = Integer(metadata={"description": "How often a mail server was asked."})
    error = String(allow_none=True, metadata={"description": "What the mail server said."})
    message_id = String(metadata={"description": "Its Message-ID, however often it is tried."})
    created_at = Timestamp()
    sent_at = Timestamp(allow_none=True)


class MailItemSchema(MailSchema):
    """A mail with what it says, which is None once it was sent."""

    text = String(allow_none=True)
    html = String(allow_none=True)


class Mail:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._shop = session.shop

    def list(self, request: Request) -> dict[str, Any]:
        """Mails, newest first."""
        query = box.select(**{item.name: request.query.get(item.name) for item in _FILTERS})
        count, newest = pagination.count_rows(query), pagination.Ordering.by(MailRow.id)
        rows, envelope = pagination.paginate(query, request, newest, descending=True, count=count)
        return envelope | {"results": [box.as_json(row) for row in rows]}

    def read(self, request: Request) -> dict[str, Any]:
        """One mail."""
        return box.read_as_json(self._shop, request.params["id"])


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    mail = Mail(session)
    return (
        Route(
            "GET", "/mail", mail.list, READ, "List mails, newest first",
            parameters=(*pagination.parameters(20, 200), *_FILTERS),
            returns=MailSchema, listing=True,
        ),
        Route(
            "GET", "/mail/{id}", mail.read, READ, "Read a mail",
            description="What it says is there until a mail server takes it, or for 30 days.",
            returns=MailItemSchema,
        ),
    )  # fmt: skip
