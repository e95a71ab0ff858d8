"""What was written to people, read from the table of mails itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from bodega.database.tables import MailRow
from bodega.mail import box

if TYPE_CHECKING:
    from bodega.shop import Shop


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was written.

    Args:
        to, subject, text, html: see :func:`bodega_sdk.send_mail`.
    """

    id: UUID
    to: str
    subject: str
    text: str
    html: str


class Mailbox:
    """The mails of a shop, or those since it last forgot; they are read when asked for.

    Those of a transaction that was rolled back were never written. No worker is needed.
    """

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._forgotten: set[UUID] = set()

    def forget(self) -> None:
        """Begin anew: what was written until now is not listed any more."""
        self._forgotten = {row.id for row in MailRow.select(MailRow.id)}

    def __iter__(self) -> Iterator[Mail]:
        rows = MailRow.select().order_by(MailRow.id)
        return iter([self._read(row) for row in rows if row.id not in self._forgotten])

    def _read(self, row: MailRow) -> Mail:
        body = box.body_of(self._shop, row) or box.Body("")
        return Mail(row.id, row.to, row.subject, body.text, body.html)

    def to(self, address: str) -> list[Mail]:
        """Return the mails to an address, in the order they were written."""
        return [mail for mail in self if mail.to == address]

    def __repr__(self) -> str:
        shown = "; ".join(f"{mail.to}: {mail.subject}" for mail in self)
        return f"<Mailbox: {shown or 'empty'}>"
