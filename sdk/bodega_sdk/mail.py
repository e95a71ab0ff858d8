"""Mail: a row in the open transaction, sent by a worker after the commit."""

import re
import unicodedata
from uuid import UUID

from bodega_sdk.errors import FieldError, InvalidInput
from bodega_sdk.runtime import runtime

#: Characters of a subject, and of a text and its HTML together.
LONGEST_SUBJECT, LONGEST_BODY = 500, 1_000_000

# What needs no quoting (RFC 5322 §3.2.3), and letters beyond ASCII (RFC 6532).
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[^\W_]([\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(\.{_ATOM})*)@(?P<domain>{_LABEL}(\.{_LABEL})*)")
# Controls, surrogates, and what Unicode calls the end of a line or paragraph.
_UNFIT = ("Cc", "Cs", "Zl", "Zp")


def send_mail(to: str, subject: str, text: str, html: str = "") -> UUID:
    r"""Write a mail in the transaction that is open; a worker sends it after the commit.

    It is kept where operators can read it when the shop knows no mail server. It may arrive
    twice, with one Message-ID, if a worker dies right after sending it.

    Args:
        to: one address without a name, ``"ada@shop.example"``.
        subject: one line of at most 500 characters.
        text: what is read; an address on a line of its own becomes a link in most programs.
        html: the same as HTML, for who prefers that; none when empty.

    Returns:
        The mail's id.

    Raises:
        InvalidInput: the address is none, or a text has characters that no mail may have:
            a line break in a header would begin another header.

    Example::

        >>> with transaction():
        ...     mail_id = send_mail("ada@shop.example", "Your points", "You have 3 points.")
        >>> send_mail("ada@shop.example", "Hi\r\nBcc: eve@shop.example", "You have 3 points.")
        Traceback (most recent call last):
        bodega_sdk.errors.InvalidInput: A mail's subject must be one line without control ...
    """
    check_address(to)
    _check_subject(subject)
    _check_body(text, html)
    return runtime().send_mail(to, subject, text, html)


def check_address(address: str) -> str:
    """Return an address that mail can be sent to.

    Raises:
        InvalidInput: it is none.
    """
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found is None or len(found["local"].encode()) > 64 or len(address.encode()) > 254:
        raise _refusal("to", "must go to one address such as ada@shop.example")
    try:
        ascii_domain(found["domain"])
    except UnicodeError:
        raise _refusal("to", "must go to one address with a domain that can exist") from None
    return address


def ascii_domain(domain: str) -> str:
    """Return a domain as the DNS knows it.

    Raises:
        UnicodeError: it can have no such name.
    """
    return domain if domain.isascii() else domain.encode("idna").decode()


def _check_subject(subject: str) -> None:
    if not subject.strip() or any(unicodedata.category(one) in _UNFIT for one in subject):
        raise _refusal("subject", "subject must be one line without control characters")
    if len(subject) > LONGEST_SUBJECT:
        raise _refusal("subject", f"subject must have at most {LONGEST_SUBJECT} characters")


def _check_body(text: str, html: str) -> None:
    if not text.strip():
        raise _refusal("text", "text must not be empty, also when there is HTML")
    for name, body in (("text", text), ("html", html)):
        if any(_is_unfit(one) for one in body):
            raise _refusal(name, f"{name} must have no control characters")
    if len(text) + len(html) > LONGEST_BODY:
        raise _refusal("text", f"text and HTML must have at most {LONGEST_BODY} characters")


def _is_unfit(character: str) -> bool:
    return character not in "\t\r\n\f" and unicodedata.category(character) in ("Cc", "Cs")


def _refusal(field: str, rule: str) -> InvalidInput:
    # What was given is not repeated: a mail may hold what only its receiver may read.
    message = f"A mail's {rule}." if not rule.startswith("must") else f"A mail {rule}."
    return InvalidInput(message, [FieldError(field, message)])
