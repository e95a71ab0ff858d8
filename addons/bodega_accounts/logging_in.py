"""Logging in: a password for a pair of tokens, a refresh token for the next pair."""

from datetime import timedelta
from hashlib import blake2s
from typing import Any
from uuid import UUID

from bodega_accounts.models import Account
from bodega_accounts.passwords import matches
from bodega_sdk import issue_token, now, read_token, setting, transaction
from bodega_sdk.errors import Unauthenticated


def log_in(email: str, password: str) -> dict[str, Any]:
    """Return a pair of tokens.

    Raises:
        Unauthenticated: no such account, a wrong password, or an account that was
            deactivated; the answer is the same for all three.
    """
    account = Account.get_or_none(Account.email == email)
    good = matches(account.password if account else None, password)
    if account is None or not good or not account.is_active:
        raise Unauthenticated("The e-mail address or the password is wrong.")
    with transaction():
        Account.update(last_login_at=now()).where(Account.id == account.id).execute()
    return tokens_for(account)


def refresh_tokens(token: str) -> dict[str, Any]:
    """Return a new pair of tokens for a refresh token.

    Raises:
        Unauthenticated: the token is no good, or its account is gone or deactivated.
    """
    claims = read_token(token, "refresh")
    account = Account.find(UUID(claims["sub"]))
    if account is None or not account.is_active:
        raise Unauthenticated("The account of this token is gone or was deactivated.")
    if claims.get("password") != _fingerprint(account):
        raise Unauthenticated("The password was changed since; log in again.")
    return tokens_for(account)


def tokens_for(account: Account) -> dict[str, Any]:
    """Return a pair of tokens for an account."""
    subject, roles = str(account.id), (account.role,)
    lifetime = timedelta(minutes=setting("accounts.access_minutes"))
    longer = timedelta(days=setting("accounts.refresh_days"))
    return {
        "access": issue_token(subject, roles, "access", lifetime),
        "refresh": issue_token(subject, roles, "refresh", longer, password=_fingerprint(account)),
        "expires_in": int(lifetime.total_seconds()),
    }


def _fingerprint(account: Account) -> str:
    """Return what changes with the password and tells nothing of it."""
    return blake2s(account.password.encode(), digest_size=8).hexdigest()
