"""Tokens that are mailed: who sends one back reads the mailbox it was sent to."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any

from bodega_accounts.models import Account, MailedToken
from bodega_sdk import now
from bodega_sdk.errors import invalid

#: What a token is for → hours that it is good.
HOURS = {"confirm": 72, "reset": 1, "email": 24}


def issue(account: Account, purpose: str, email: str, data: dict[str, Any] | None = None) -> str:
    """Return a new token; call it in a transaction.

    Args:
        purpose: one of :data:`HOURS`.
        email: the address it is mailed to.
        data: to be found with it again.
    """
    token = secrets.token_urlsafe(32)
    MailedToken.create(
        digest=_digest(token), account=account, purpose=purpose, email=email, data=data,
        expires_at=now() + timedelta(hours=HOURS[purpose]),
    )  # fmt: skip
    return token


def take(token: str, purpose: str) -> MailedToken:
    """Use a token up and return what was known with it; call it in a transaction.

    The account's other tokens of the purpose are used up with it.

    Raises:
        InvalidInput: it is unknown, too old, used, or for something else.
    """
    row: MailedToken | None = MailedToken.get_or_none(
        MailedToken.digest == _digest(token),
        MailedToken.purpose == purpose,
        MailedToken.expires_at > now(),
    )
    # Of two that take it at once only one deletes it.
    if row is None or not MailedToken.delete().where(MailedToken.digest == row.digest).execute():
        raise invalid("token", "This token was used, is too old, or was never sent; ask for one.")
    forget(row.account_id, purpose)
    return row


def forget(account_id: Any, *purposes: str) -> None:
    """Take back what was mailed to an account for some purposes."""
    mine = (MailedToken.account == account_id) & MailedToken.purpose.in_(purposes)
    MailedToken.delete().where(mine).execute()


def prune() -> int:
    """Forget tokens that are too old; return how many."""
    number: int = MailedToken.delete().where(MailedToken.expires_at < now()).execute()
    return number


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
