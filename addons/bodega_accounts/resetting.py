"""Resetting a password: by whoever reads the account's mailbox."""

from bodega_accounts import api_keys, limits, mailed_tokens, mails, second_factor, sessions
from bodega_accounts.models import Account
from bodega_accounts.passwords import check, hash_password
from bodega_sdk import JobRun, audit, job, now, transaction


def ask(email: str, address: str) -> None:
    """Have a token mailed to an address, if it has an account; the same answer for any.

    Raises:
        TooManyRequests: there were too many from this address.
    """
    limits.MAILS_FROM_ADDRESS.hit(address)
    with transaction():
        mail_later.enqueue(email=email)
        audit("password.reset_asked", "account:unknown")


@job("accounts.mail_reset", lane="mail")
def mail_later(run: JobRun, email: str) -> None:
    """Mail the token; done later, so that nobody can tell by the time it takes."""
    with run.transaction():
        account: Account | None = Account.get_or_none(Account.email == email)
        if account is None or not account.is_active or not limits.MAILS_TO.left(email):
            return
        limits.MAILS_TO.hit(email)
        mails.reset_password(account, token_for(account))


def token_for(account: Account) -> str:
    """Return a token that the account's password can be set with; call it in a transaction."""
    mailed_tokens.forget(account.id, "reset")
    return mailed_tokens.issue(account, "reset", account.email)


def reset(token: str, password: str) -> None:
    """Set a password by a token that was mailed; end all sessions.

    The second factor stays: who reads the mailbox has not the telephone for that.

    Raises:
        InvalidInput: the token is no good, or the password will not do.
    """
    with transaction():
        row = mailed_tokens.take(token, "reset")
        account: Account = row.account
        check(password, account.email, account.username or "")
        changes = {"password": hash_password(password), "updated_at": now()}
        if not account.email_verified:
            # Whoever registered it never proved that the address is theirs: what they
            # left behind to come back with goes.
            changes["email_verified_at"] = now()
            second_factor.remove(account)
            api_keys.revoke_all(account.id)
        Account.update(changes).where(Account.id == account.id).execute()
        sessions.end_all(account.id, "password reset")
        mailed_tokens.forget(account.id, "confirm", "email")
        mails.password_changed(account)
        audit("account.password_reset", f"account:{account.id}")
