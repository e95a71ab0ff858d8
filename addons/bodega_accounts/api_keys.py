"""API keys: credentials for machines, which hold what they were made for and no more."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from bodega_accounts.models import Account, ApiKey
from bodega_accounts.sessions import organization_of
from bodega_sdk import Holder, audit, now, permissions_held_by, revoke_session, transaction
from bodega_sdk.errors import Conflict, FieldError, PermissionDenied, invalid

#: What every key begins with: programs that look for leaked secrets know it by that.
PREFIX = "bodegakey_"
_USED = timedelta(minutes=1)


def make(account: Account, data: dict[str, Any], held: frozenset[str]) -> tuple[ApiKey, str]:
    """Make a key; call it in a transaction.

    Args:
        data: name, scopes and expires_at.
        held: the permissions of whoever makes it.

    Returns:
        The row, and the key itself, which is stored nowhere.

    Raises:
        InvalidInput: it would expire before it is made.
        PermissionDenied: it would hold more than its maker.
    """
    _check(data, held)
    key = PREFIX + secrets.token_urlsafe(32)
    row: ApiKey = ApiKey.create(
        account=account, prefix=key[: len(PREFIX) + 6], digest=_digest(key),
        name=data["name"], scopes=sorted(set(data["scopes"])), expires_at=data["expires_at"],
    )  # fmt: skip
    audit("api_key.created", f"api_key:{row.id}", name=row.name, scopes=row.scopes)
    return row, key


def _check(data: dict[str, Any], held: frozenset[str]) -> None:
    expires_at = data["expires_at"]
    if expires_at is not None and expires_at <= now():
        raise invalid("expires_at", "Expected an instant that is to come.", str(expires_at))
    beyond = sorted(set(data["scopes"]) - held)
    if beyond:
        told = ", ".join(beyond[:5])
        raise PermissionDenied(
            f"A key cannot hold what its maker does not: {told}.",
            [FieldError("scopes", f"You do not hold {told}.", beyond)],
        )


def rotate(row: ApiKey, overlap: timedelta, held: frozenset[str]) -> tuple[ApiKey, str]:
    """Make a key in the place of another, which is good for a while beside it.

    Raises:
        Conflict: it was revoked, or replaced already.
    """
    if row.revoked_at is not None or row.successor is not None:
        raise Conflict("This key was revoked or replaced already.")
    data = {"name": row.name, "scopes": row.scopes, "expires_at": row.expires_at}
    successor, key = make(row.account, data, held)
    ends = now() + overlap
    row.expires_at = min(row.expires_at or ends, ends)
    row.successor = successor.id
    row.save()
    _tell(row)
    audit("api_key.rotated", f"api_key:{row.id}", successor=str(successor.id))
    return successor, key


def revoke(row: ApiKey) -> None:
    """Refuse a key from the commit on; call it in a transaction."""
    if row.revoked_at is None:
        row.revoked_at = now()
        row.save()
        _tell(row)
        audit("api_key.revoked", f"api_key:{row.id}", name=row.name)


def revoke_all(account_id: UUID) -> int:
    """Revoke all keys of an account; return how many. Call it in a transaction."""
    mine = (ApiKey.account == account_id) & ApiKey.revoked_at.is_null()
    found = list(ApiKey.select().where(mine).order_by(ApiKey.id))
    for row in found:
        revoke(row)
    return len(found)


def forget_holders(account_id: UUID) -> None:
    """Have every process ask anew who holds an account's keys."""
    for row in ApiKey.select().where(ApiKey.account == account_id, ApiKey.revoked_at.is_null()):
        _tell(row)


def _tell(row: ApiKey) -> None:
    # Nothing is signed with a key's id; it is the news that counts.
    revoke_session(str(row.id), now())


def holder_of(sent: str) -> Holder | None:
    """Return whom a key belongs to; None when it is unknown, revoked or expired."""
    row: ApiKey | None = ApiKey.get_or_none(ApiKey.digest == _digest(sent))
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now()):
        return None
    account: Account = row.account
    if not account.is_active:
        return None
    if row.last_used_at is None or now() - row.last_used_at > _USED:
        with transaction():
            ApiKey.update(last_used_at=now()).where(ApiKey.id == row.id).execute()
    return Holder(
        str(row.id), str(account.id), (account.role,), frozenset(row.scopes),
        organization_of(account), row.expires_at,
    )  # fmt: skip


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def held_by(account: Account) -> frozenset[str]:
    """Return the permissions that an account holds."""
    return permissions_held_by(account.role)
