"""The kernel's own job: sending mail."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import structlog

from bodega.database.tables import MailRow
from bodega.errors import ConfigurationError
from bodega.jobs.later import Later
from bodega.mail import box
from bodega.mail.sending import NotNow, Refused, message, send
from bodega.mail.servers import read_sender, read_server
from bodega_sdk.errors import PermanentFailure
from bodega_sdk.jobs import JobRun, job
from bodega_sdk.models import now
from bodega_sdk.runtime import runtime

if TYPE_CHECKING:
    from bodega.shop import Session, Shop

log = structlog.get_logger(__name__)
#: Minutes after which the next try follows; the last one again and again.
WAITS = (1, 5, 15, 30, 60, 120, 240)
#: About two days.
ATTEMPTS = 18
# One that failed has its body still: 'bodega jobs retry' sends it after all.
_UNSENT = ("queued", "failed")


@job("bodega.send_mail", lane="mail", max_attempts=ATTEMPTS)
def send_mail(run: JobRun, mail_id: str) -> None:
    """Send a mail, or keep it where it is when the shop knows no mail server."""
    shop = cast("Session", runtime()).shop
    row: MailRow | None = MailRow.get_or_none(MailRow.id == UUID(mail_id))
    if row is None or row.status not in _UNSENT:
        return  # It was sent, and the worker died before it could say so of the job.
    if not shop.settings.smtp_url:
        _became(run, row, status="kept", error=None)
        log.info("mail kept: BODEGA_SMTP_URL is not set", mail=mail_id)
        return
    _became(run, row, status="queued", attempts=row.attempts + 1)
    _send(run, shop, row)


def _send(run: JobRun, shop: "Shop", row: MailRow) -> None:
    try:
        _hand_over(shop, row)
    except (Refused, ConfigurationError) as error:
        _give_up(run, row, str(error))
    except NotNow as error:
        if run.attempt >= ATTEMPTS:
            _give_up(run, row, f"given up after {run.attempt} tries: {error}")
        _became(run, row, error=str(error))
        wait = timedelta(minutes=WAITS[min(run.attempt, len(WAITS)) - 1])
        raise Later(str(error), wait) from None
    _became(run, row, status="sent", sent_at=now(), body=None, error=None)


def _hand_over(shop: "Shop", row: MailRow) -> None:
    sender = read_sender(shop.settings.mail_from)
    body = box.body_of(shop, row)
    assert body is not None, "only a mail that was sent has no body"
    send(read_server(shop.settings.smtp_url), message(row, body, sender), sender)


def _give_up(run: JobRun, row: MailRow, reason: str) -> None:
    _became(run, row, status="failed", error=reason)
    raise PermanentFailure(reason)


def _became(run: JobRun, row: MailRow, **changes: Any) -> None:
    with run.transaction():
        box.change(row, _UNSENT, **changes)


#: By name. Disabling addons never parks it.
KERNEL_JOBS = {send_mail.name: send_mail}
