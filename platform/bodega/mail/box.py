"""The table of mails: writing, reading and forgetting them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import peewee
from cryptography.fernet import InvalidToken

from bodega.database.tables import JobRow, MailRow
from bodega.errors import ConfigurationError
from bodega.mail.servers import read_sender
from bodega.security.secrets import cipher
from bodega_sdk.errors import FieldError, NotFound
from bodega_sdk.ids import uuid7
from bodega_sdk.jobs import Job
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Shop

STATUSES = ("queued", "sent", "kept", "failed")
#: How long mails can be read here, whatever became of them.
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail says.

    Args:
        html: empty when there is none.
    """

    text: str
    html: str = ""


def write(shop: "Shop", job: Job, to: str, subject: str, body: Body) -> UUID:
    """Write a mail and the job that sends it, in the open transaction or one of its own."""
    mail_id = uuid7()
    with shop.transaction():
        MailRow.create(
            id=mail_id,
            to=to,
            subject=subject,
            body=_sealed(shop, mail_id, body),
            message_id=f"<{mail_id}@{_domain(shop)}>",
        )
        JobRow.create(
            name=job.name,
            lane=job.lane,
            payload={"mail_id": str(mail_id)},
            max_attempts=job.max_attempts,
        )
        shop.databases.shop.after_commit(lambda: shop.queue.wake(job.lane))
    return mail_id


def _domain(shop: "Shop") -> str:
    sender = shop.settings.mail_from
    # This name is promised to belong to nobody (RFC 2606).
    return read_sender(sender).domain if sender else f"{shop.shop_id}.invalid"


# Each mail has a key of its own, so that no body can be put in another's place.


def _sealed(shop: "Shop", mail_id: UUID, body: Body) -> str:
    clear = json.dumps([body.text, body.html]).encode()
    return cipher(shop.settings.key(), f"bodega mail {mail_id}").encrypt(clear).decode()


def body_of(shop: "Shop", row: MailRow) -> Body | None:
    """Return what a mail says, None once it was sent.

    Raises:
        ConfigurationError: the secret key is not the one it was written with.
    """
    if row.body is None:
        return None
    try:
        clear = cipher(shop.settings.key(), f"bodega mail {row.id}").decrypt(row.body.encode())
    except InvalidToken:
        raise ConfigurationError(
            f"mail {row.id} cannot be read: BODEGA_SECRET_KEY is not the key it was written with"
        ) from None
    return Body(*json.loads(clear))


def select(*, to: str | None = None, status: str | None = None) -> peewee.ModelSelect:
    """Return the query of the mails that are wanted; order it by id for the order of writing."""
    query = MailRow.select()
    if to is not None:
        query = query.where(MailRow.to == to)
    return query if status is None else query.where(MailRow.status == status)


def find(mail_id: UUID) -> MailRow:
    """Return a mail.

    Raises:
        NotFound: there is none with this id.
    """
    row: MailRow | None = MailRow.get_or_none(MailRow.id == mail_id)
    if row is None:
        raise NotFound(
            f"There is no mail {mail_id}; list the mails for their ids.",
            [FieldError("id", "No mail has this id.", str(mail_id))],
        )
    return row


def as_json(row: MailRow) -> dict[str, Any]:
    """Return a mail as it stands in lists, without what it says."""
    names = ("id", "to", "subject", "status", "attempts", "error", "message_id", "created_at",
             "sent_at")  # fmt: skip
    return {name: getattr(row, name) for name in names}


def read(shop: "Shop", mail_id: UUID) -> tuple[MailRow, Body | None]:
    """Return a mail and what it says; that somebody read it is written down.

    It may hold a link that opens an account.

    Raises:
        NotFound: there is none with this id.
    """
    row = find(mail_id)
    body = body_of(shop, row)
    if body is not None:
        shop.audit("mail.read", f"mail:{mail_id}", to=row.to)
    return row, body


def read_as_json(shop: "Shop", mail_id: UUID) -> dict[str, Any]:
    """Return what :func:`read` does, as it stands alone; without a body both texts are None."""
    row, body = read(shop, mail_id)
    text, html = (body.text, body.html) if body else (None, None)
    return as_json(row) | {"text": text, "html": html}


def forget_old() -> int:
    """Delete the mails that are older than anybody needs; return how many."""
    return int(MailRow.delete().where(MailRow.created_at < now() - KEPT_FOR).execute())


def change(row: MailRow, statuses: Iterable[str], **changes: Any) -> bool:
    """Change a mail that still has one of these statuses; False when it has another."""
    known = MailRow.status.in_(list(statuses))
    return bool(MailRow.update(**changes).where(MailRow.id == row.id, known).execute())
