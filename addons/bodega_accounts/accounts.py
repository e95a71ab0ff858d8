"""Making, changing and deleting accounts."""

import secrets
from typing import Any

from bodega_accounts import api_keys, avatars, mailed_tokens, sessions
from bodega_accounts.events import account_changed, account_created, account_deleted
from bodega_accounts.models import Account
from bodega_accounts.passwords import check, hash_password
from bodega_sdk import FirstStart, audit, now
from bodega_sdk.errors import Conflict, FieldError

#: What access tokens say: they are renewed when one of these changes.
_IN_TOKENS = ("role", "organization")


def create_account(data: dict[str, Any], *, role: str, verified: bool = True) -> Account:
    """Make an account; call it in a transaction.

    Args:
        data: its members, the password as a hash.
        verified: whether its e-mail address is known to be theirs.

    Raises:
        Conflict: the e-mail address or the username is taken.
    """
    _refuse_taken(data["email"])
    refuse_taken_username(data.get("username"))
    members = {"preferences": {}} | data | {"role": role}
    account: Account = Account.create(email_verified_at=now() if verified else None, **members)
    shown = {"id": account.id, "email": account.email, "role": role}
    account_created.publish(str(account.id), shown)
    return account


def change_account(account: Account, data: dict[str, Any], *, own: bool = False) -> Account:
    """Change an account by loaded data; call it in a transaction.

    Args:
        own: whether its owner does it.
    """
    changed = {name: value for name, value in data.items() if value != _now(account, name)}
    if "email" in changed:
        _refuse_taken(changed["email"])
        changed["email_verified_at"] = now()
    if "username" in changed:
        refuse_taken_username(changed["username"])
    if "password" in changed:
        own_names = (account.email, account.username or "")
        changed["password"] = hash_password(check(changed["password"], *own_names))
    changes = changed | {"updated_at": now()}
    for name, value in changes.items():
        setattr(account, name, value)
    # These columns only: what somebody else changes of the others meanwhile stays.
    Account.update(changes).where(Account.id == account.id).execute()
    _tell(account, changed, own)
    return account


def _now(account: Account, name: str) -> Any:
    if name == "organization":
        return account.organization_id
    return None if name == "password" else getattr(account, name)


def _tell(account: Account, changed: dict[str, Any], own: bool) -> None:
    """End or renew the sessions that a change concerns, and tell whoever listens."""
    names = sorted(changed.keys() - {"email_verified_at"})
    if not names:
        return
    if changed.keys() & {"is_active", *_IN_TOKENS}:
        api_keys.forget_holders(account.id)
    if changed.keys() & {"email", "password"}:
        # They lie in a mailbox that may be the reason for the change.
        mailed_tokens.forget(account.id, *mailed_tokens.HOURS)
    if changed.get("is_active") is False:
        sessions.end_all(account.id, "account deactivated")
    elif "password" in changed:
        sessions.end_all(account.id, "password changed by an administrator")
    elif changed.keys() & set(_IN_TOKENS):
        sessions.renew_all(account.id)
    account_changed.publish(str(account.id), {"id": account.id, "members": names})
    if not own:
        audit("account.changed", f"account:{account.id}", members=names, **_shown(changed))


def _shown(changed: dict[str, Any]) -> dict[str, Any]:
    return {name: str(changed[name]) for name in ("role", "organization") if name in changed}


def delete_account(account: Account) -> None:
    """Delete an account with all that is its own; call it in a transaction."""
    sessions.end_all(account.id, "account deleted")
    api_keys.forget_holders(account.id)
    avatars.forget_files(account)
    account.delete_instance()
    account_deleted.publish(str(account.id), {"id": account.id})
    audit("account.deleted", f"account:{account.id}")


def _refuse_taken(email: str) -> None:
    if Account.select().where(Account.email == email).exists():
        message = "Another account has this address."
        raise Conflict(f"'email': {message}", [FieldError("email", message, email)])


def refuse_taken_username(username: str | None) -> None:
    """Refuse a username that another account has.

    Raises:
        Conflict: naming it.
    """
    if username and Account.select().where(Account.username == username).exists():
        message = "Another account has this username."
        raise Conflict(f"'username': {message}", [FieldError("username", message, username)])


def make_administrator(start: FirstStart) -> None:
    """Make the first administrator and tell the operator how to log in."""
    password = start.admin_password or secrets.token_urlsafe(12)
    check(password, start.admin_email)
    data = {"email": start.admin_email.lower(), "first_name": "Administrator"}
    create_account(data | {"password": hash_password(password)}, role="admin")
    told = "as set in BODEGA_ADMIN_PASSWORD" if start.admin_password else password
    start.lines.append(f"Administrator   {start.admin_email}   password: {told}")
