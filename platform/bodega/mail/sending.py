"""Handing one mail to a mail server, and what its refusals mean."""

import smtplib
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bodega.database.tables import MailRow
from bodega.errors import OperatorError
from bodega.mail.box import Body
from bodega.mail.servers import Server
from bodega_sdk.mail import ascii_domain

#: Seconds for connecting, and for each answer; a server that thinks longer gets it twice.
TIMEOUT = 60
_LONGEST = 500
_POLICY = SMTP.clone(max_line_length=76)


class Refused(OperatorError):
    """The server refused this mail for good."""


class NotNow(OperatorError):
    """The server cannot be reached, or told us to come back."""


def message(row: MailRow, body: Body, sender: Address) -> EmailMessage:
    """Return the mail as it goes out; the same each time."""
    made = EmailMessage(_POLICY)
    made["From"] = sender
    local, _, domain = row.to.rpartition("@")
    made["To"] = Address("", local, ascii_domain(domain))
    made["Subject"] = row.subject
    made["Date"] = format_datetime(row.created_at)
    made["Message-ID"] = row.message_id
    # Out-of-office replies to this are not wanted (RFC 3834).
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(body.text)
    if body.html:
        made.add_alternative(body.html, subtype="html")
    return made


def send(server: Server, mail: EmailMessage, sender: Address) -> None:
    """Hand a mail over.

    Raises:
        Refused: for good, with the server's words.
        NotNow: trying again later may help.
    """
    try:
        connection = _connected(server, sender)
    except (OSError, smtplib.SMTPException, ssl.SSLError, UnicodeError) as error:
        # Also a wrong password or certificate: an operator can mend that before we give up.
        raise NotNow(f"{server}: {words(error)}") from None
    try:
        _hand_over(connection, mail, server)
    finally:
        # Once the mail was taken, how the server says good-bye is no matter.
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()


def _connected(server: Server, sender: Address) -> smtplib.SMTP:
    # Our own name is not looked up: on many machines that takes seconds.
    name = sender.domain
    connection: smtplib.SMTP
    if server.tls == "implicit":
        connection = smtplib.SMTP_SSL(
            server.host, server.port, name, timeout=TIMEOUT, context=server.context()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, name, timeout=TIMEOUT)
    try:
        if server.tls == "starttls":
            connection.starttls(context=server.context())
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _hand_over(connection: smtplib.SMTP, mail: EmailMessage, server: Server) -> None:
    try:
        connection.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _meaning(server, code, smtplib.SMTPResponseException(code, said)) from None
    except smtplib.SMTPResponseException as error:
        raise _meaning(server, error.smtp_code, error) from None
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(f"{server}: {words(error)}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotNow(f"{server}: {words(error)}") from None


def _meaning(server: Server, code: int, error: Exception) -> OperatorError:
    kind = Refused if 500 <= code < 600 else NotNow
    return kind(f"{server}: {words(error)}")


def words(error: Exception) -> str:
    """Return what a server or the network said, in one line."""
    said = str(error) or type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        found = error.smtp_error
        text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
        said = f"{error.smtp_code} {text}"
    line = "".join(one if one.isprintable() else " " for one in said)
    return " ".join(line.split())[:_LONGEST]
