"""Logging in: a password, and a code where the account wants one, for a pair of tokens."""

from typing import Any, NoReturn

from bodega_accounts import limits, second_factor, sessions
from bodega_accounts.errors import SecondFactorRequired
from bodega_accounts.models import Account
from bodega_accounts.passwords import hash_password, is_outdated, matches
from bodega_sdk import audit, now, setting, transaction
from bodega_sdk.errors import Unauthenticated, invalid


def log_in(
    login: str, password: str, code: str, address: str, agent: str
) -> tuple[Account, dict[str, Any]]:
    """Return the account and a pair of tokens.

    Args:
        login: e-mail address or username.
        code: of the second factor, or a recovery code; empty when none was sent.
        address: where it comes from.
        agent: the program that is used, as it calls itself.

    Raises:
        Unauthenticated: no such account, a wrong password, one that was deactivated, or
            whose address is not confirmed; the answer is the same for all of them.
        SecondFactorRequired: the password is right, and a code is needed.
        TooManyRequests: there were too many attempts.
    """
    account = find(login)
    limits.before_guess(account, login, address)
    good = matches(account.password if account else None, password)
    if account is None or not good or not _may_log_in(account):
        _refuse(account, login, address)
    if account.second_factor:
        _check_code(account, code, login, address)
    begun = _begin(account, password, address, agent)
    if begun is None:
        _refuse(account, login, address)
    limits.after_right_guess(account, address)
    return begun


def _begin(
    proved: Account, password: str, address: str, agent: str
) -> tuple[Account, dict[str, Any]] | None:
    """Begin a session; None if what was proved has changed meanwhile.

    Whoever ends all sessions of the account, or changes it, comes before this or after.
    """
    with transaction():
        account = Account.find(proved.id, lock=True)
        if account is None or not _may_log_in(account) or _proof(account) != _proof(proved):
            return None
        changes: dict[str, Any] = {"last_login_at": now()}
        if is_outdated(account.password):
            changes["password"] = hash_password(password)
        for name, value in changes.items():
            setattr(account, name, value)
        Account.update(changes).where(Account.id == account.id).execute()
        pair = sessions.begin(account, address, agent)
        audit("account.logged_in", f"account:{account.id}")
    return account, pair


def _proof(account: Account) -> tuple[Any, ...]:
    return account.password, account.second_factor, account.totp_secret


def find(login: str) -> Account | None:
    """Return the account of an e-mail address or username."""
    plain = limits.plain(login)
    field = Account.email if "@" in plain else Account.username
    found: Account | None = Account.get_or_none(field == plain)
    return found


def prove(account: Account, password: str, field: str = "password") -> None:
    """Have somebody who is logged in prove that it is them.

    Raises:
        InvalidInput: the password is wrong.
        TooManyRequests: there were too many attempts.
    """
    limits.PROOFS.hit(str(account.id))
    if not matches(account.password, password):
        raise invalid(field, "This is not your password.")
    limits.PROOFS.reset(str(account.id))


def _may_log_in(account: Account) -> bool:
    confirmed = account.email_verified or setting("accounts.confirmation") != "required"
    return bool(account.is_active and confirmed)


def _refuse(account: Account | None, login: str, address: str) -> NoReturn:
    limits.after_wrong_guess(account, login, address)
    # What was typed is not written down: it may be a password in the wrong field.
    target = f"account:{account.id}" if account else "account:unknown"
    audit("login.failed", target)
    hint = ""
    if setting("accounts.confirmation") == "required":
        hint = ", or the address is not confirmed yet"
    raise Unauthenticated(f"The login or the password is wrong{hint}.")


def _check_code(account: Account, code: str, login: str, address: str) -> None:
    if not code:
        raise SecondFactorRequired("Send the code of your second factor as 'code' as well.")
    if second_factor.accepts(account, code):
        return
    limits.after_wrong_guess(account, login, address)
    audit("login.failed", f"account:{account.id}", reason="wrong second factor")
    raise Unauthenticated("The code is wrong or was used before.")
