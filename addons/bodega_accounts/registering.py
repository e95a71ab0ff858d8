"""Registering: by oneself, which must not tell whose address is known here.

Where addresses must be confirmed, the answer is the same for every address, and the work
that differs is done later, by a job. Where they need not be, whoever registers can log in
at once, and learns that an address is taken.
"""

from typing import Any

import orjson

from bodega_accounts import limits, mailed_tokens, mails
from bodega_accounts.accounts import create_account, refuse_taken_username
from bodega_accounts.models import Account
from bodega_accounts.passwords import check, hash_password
from bodega_accounts.resetting import token_for
from bodega_sdk import JobRun, audit, job, now, seal, setting, transaction, unseal
from bodega_sdk.errors import PermissionDenied

_PURPOSE = "accounts registration"
_NOTHING = {"username": None, "first_name": "", "last_name": "", "phone": ""}


def register(data: dict[str, Any], address: str) -> Account | None:
    """Take a registration.

    Returns:
        The account, None when its address must be confirmed first.

    Raises:
        InvalidInput: the password will not do.
        Conflict: the username is taken; and the address, where it need not be confirmed.
        PermissionDenied: the shop lets nobody register.
        TooManyRequests: there were too many from this address.
    """
    how = setting("accounts.confirmation")
    if not setting("accounts.registration"):
        raise PermissionDenied("This shop lets nobody register; ask it for an account.")
    check(data["password"], data["email"], data.get("username") or "")
    limits.REGISTRATIONS.hit(address)
    data = data | {"password": hash_password(data["password"])}
    with transaction():
        refuse_taken_username(data.get("username"))
        if how == "required":
            # Sealed: whoever may look at jobs need not know who registers.
            register_later.enqueue(sealed=seal(_PURPOSE, orjson.dumps(data).decode()))
            return None
        account = create_account(data, role="user", verified=False)
        _ask(account, None)
        audit("account.registered", f"account:{account.id}")
        return account


@job("accounts.register", lane="mail")
def register_later(run: JobRun, sealed: str) -> None:
    """Make the account that somebody registered, or tell its owner that there is one."""
    data: dict[str, Any] = orjson.loads(unseal(_PURPOSE, sealed))
    with run.transaction():
        account: Account | None = Account.get_or_none(Account.email == data["email"])
        if account is None:
            taken = Account.username == data.get("username")
            if data.get("username") and Account.select().where(taken).exists():
                data = data | {"username": None}
            account = create_account(data, role="user", verified=False)
            audit("account.registered", f"account:{account.id}")
        if not limits.REGISTRATION_MAILS_TO.left(account.email):
            return
        limits.REGISTRATION_MAILS_TO.hit(account.email)
        if account.email_verified:
            mails.already_registered(account)
            return
        # Each mail belongs to one registration: whoever follows it gets the password and
        # the name of that, not what somebody else chose for the address before or after.
        _ask(account, _NOTHING | {name: data[name] for name in data if name != "email"})


def ask_again(email: str, address: str) -> None:
    """Have the confirmation of an address mailed once more; the same answer for any."""
    limits.MAILS_FROM_ADDRESS.hit(address)
    with transaction():
        ask_later.enqueue(email=email)


@job("accounts.ask_again", lane="mail")
def ask_later(run: JobRun, email: str) -> None:
    """Mail the confirmation of an address again, if there is one to confirm."""
    with run.transaction():
        account: Account | None = Account.get_or_none(Account.email == email)
        if account is not None and not account.email_verified and limits.MAILS_TO.left(email):
            limits.MAILS_TO.hit(email)
            if setting("accounts.confirmation") == "required":
                # Whose registration it was, nobody knows: a password that somebody else
                # chose for the address must not be confirmed by this.
                mails.confirm_by_choosing(account, token_for(account))
            else:
                _ask(account, None)


def _ask(account: Account, data: dict[str, Any] | None) -> None:
    token = mailed_tokens.issue(account, "confirm", account.email, data)
    mails.confirm_registration(account.email, token)


def confirm(token: str) -> None:
    """Confirm the address that a token was mailed to.

    Raises:
        InvalidInput: the token is no good.
    """
    with transaction():
        row = mailed_tokens.take(token, "confirm")
        changes: dict[str, Any] = {"email_verified_at": now(), "updated_at": now()}
        changes |= _free_username(row.account_id, row.data or {})
        unconfirmed = (Account.id == row.account_id) & Account.email_verified_at.is_null()
        Account.update(changes).where(unconfirmed).execute()
        audit("account.email_confirmed", f"account:{row.account_id}")


def _free_username(account_id: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return what was registered, without a username that somebody else took meanwhile."""
    username = data.get("username")
    others = (Account.username == username) & (Account.id != account_id)
    if username and Account.select().where(others).exists():
        return data | {"username": None}
    return data
