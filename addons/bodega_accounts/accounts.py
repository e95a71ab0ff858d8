"""Making and changing accounts."""

import secrets
from typing import Any

from bodega_accounts.events import account_created
from bodega_accounts.models import Account
from bodega_accounts.passwords import hash_password
from bodega_sdk import FirstStart, now
from bodega_sdk.errors import Conflict, FieldError


def create_account(email: str, password: str, role: str = "user", **fields: Any) -> Account:
    """Make an account; call it in a transaction.

    Raises:
        InvalidInput: the password is too short or too long.
        Conflict: the e-mail address is taken.
    """
    _refuse_taken(email)
    account: Account = Account.create(
        email=email, password=hash_password(password), role=role, **fields
    )
    account_created.publish(str(account.id), {"id": account.id, "email": email, "role": role})
    return account


def change_account(account: Account, data: dict[str, Any]) -> Account:
    """Change an account by loaded data; call it in a transaction."""
    if data.get("email", account.email) != account.email:
        _refuse_taken(data["email"])
    if "password" in data:
        data = data | {"password": hash_password(data["password"])}
    for name, value in (data | {"updated_at": now()}).items():
        setattr(account, name, value)
    account.save()
    return account


def _refuse_taken(email: str) -> None:
    if Account.select().where(Account.email == email).exists():
        message = "Another account has this address."
        raise Conflict(f"'email': {message}", [FieldError("email", message, email)])


def make_administrator(start: FirstStart) -> None:
    """Make the first administrator and tell the operator how to log in."""
    password = start.admin_password or secrets.token_urlsafe(12)
    create_account(start.admin_email.lower(), password, "admin", name="Administrator")
    told = "as set in BODEGA_ADMIN_PASSWORD" if start.admin_password else password
    start.lines.append(f"Administrator   {start.admin_email}   password: {told}")
