"""One's own account: what people change of it themselves, and how it is shown."""

from typing import Any
from uuid import UUID

from bodega_accounts import avatars, limits, mailed_tokens, mails, sessions
from bodega_accounts.accounts import change_account
from bodega_accounts.hookspecs import account_links
from bodega_accounts.logging_in import prove
from bodega_accounts.models import Account
from bodega_accounts.passwords import check, hash_password
from bodega_sdk import Identity, JobRun, audit, job, now, permissions_held_by, transaction
from bodega_sdk.errors import NotFound


def account_of(identity: Identity) -> Account:
    """Return the account of who is logged in.

    Raises:
        NotFound: it was deleted.
    """
    account: Account | None = Account.get_or_none(Account.id == identity.subject)
    if account is None:
        raise NotFound("Your account was deleted.")
    return account


def shown(account: Account) -> dict[str, Any]:
    """Return what a profile is shown with besides its columns."""
    links = {"addresses": "/api/v1/addresses", "sessions": "/api/v1/auth/sessions"}
    organization = account.organization
    names = (
        "id", "email", "email_verified", "username", "first_name", "last_name", "phone",
        "date_of_birth", "role", "second_factor", "last_login_at", "created_at", "updated_at",
    )  # fmt: skip
    return {name: getattr(account, name) for name in names} | {
        "preferences": account.preferences or {},
        "avatar": avatars.address_of(account),
        "organization": organization,
        "permissions": sorted(permissions_held_by(account.role)),
        "links": account_links(links, account.id),
    }


def change_profile(account: Account, data: dict[str, Any]) -> Account:
    """Change what people may change of themselves by loaded data."""
    with transaction():
        return change_account(account, data, own=True)


def change_password(account: Account, session: str, old: str, new: str) -> None:
    """Change the password of somebody who knows it; end their other sessions.

    Args:
        session: the id of the session that goes on.

    Raises:
        InvalidInput: the old one is wrong, or the new one will not do.
    """
    prove(account, old, "current_password")
    check(new, account.email, account.username or "")
    with transaction():
        _set_password(account, new)
        sessions.end_all(account.id, "password changed", but=session)


def _set_password(account: Account, password: str) -> None:
    changes = {"password": hash_password(password), "updated_at": now()}
    Account.update(changes).where(Account.id == account.id).execute()
    mailed_tokens.forget(account.id, *mailed_tokens.HOURS)
    mails.password_changed(account)
    audit("account.password_changed", f"account:{account.id}")


def ask_for_email(account: Account, email: str, password: str, address: str) -> None:
    """Mail a new address, to see whether it is read.

    Whether somebody else has it, only who reads it learns.

    Raises:
        InvalidInput: the password is wrong.
        TooManyRequests: there were too many attempts, or mails from this address.
    """
    prove(account, password)
    limits.MAILS_FROM_ADDRESS.hit(address)
    with transaction():
        mail_later.enqueue(account=str(account.id), email=email)


@job("accounts.mail_new_email", lane="mail")
def mail_later(run: JobRun, account: str, email: str) -> None:
    """Mail the new address; done later, so that nobody can tell by the time it takes."""
    with run.transaction():
        asks: Account | None = Account.find(UUID(account))
        taken = Account.select().where(Account.email == email).exists()
        if asks is None or not asks.is_active or taken or not limits.MAILS_TO.left(email):
            return
        limits.MAILS_TO.hit(email)
        mailed_tokens.forget(asks.id, "email")
        mails.confirm_email(email, mailed_tokens.issue(asks, "email", email))


def confirm_email(token: str) -> None:
    """Make the address that a token was mailed to the account's own.

    Raises:
        InvalidInput: the token is no good.
        Conflict: somebody else has the address by now.
    """
    with transaction():
        row = mailed_tokens.take(token, "email")
        account: Account = row.account
        old = account.email
        change_account(account, {"email": row.email}, own=True)
        mails.email_changed(old, row.email)
        audit("account.email_changed", f"account:{account.id}")


def deactivate(account: Account, password: str) -> None:
    """Close one's own account: nobody logs in to it until an administrator opens it again."""
    prove(account, password)
    with transaction():
        change_account(account, {"is_active": False}, own=True)
        audit("account.deactivated", f"account:{account.id}")
