"""Sessions: what logging in begins, and what keeps it alive.

A session is a family of refresh tokens. Each is good once and has one successor, which
is computed from it: of fifty requests that refresh with one token at the same time all
get the same successor. One that is used again later than that was stolen, or its
successor was: the session ends (RFC 9700 §4.14.2).
"""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from bodega_accounts import mails
from bodega_accounts.events import session_ended
from bodega_accounts.models import Account, RefreshToken, Session
from bodega_sdk import audit, derive_key, issue_token, now, revoke_session, setting, transaction
from bodega_sdk.errors import Unauthenticated

PREFIX = "refresh_"
#: Sessions of one account at a time; beyond that the one unused for longest ends.
MOST = 50
# How long one can look back, and how long a token that is used again is told from an
# unknown one.
_KEPT, _SPENT = timedelta(days=30), timedelta(days=7)
_DEAD = "The refresh token is no good, or its session has ended; log in again."


def begin(account: Account, address: str, agent: str) -> dict[str, Any]:
    """Begin a session and return its first pair of tokens; call it in a transaction."""
    _end_oldest(account)
    moment = now()
    session = Session.create(
        account=account, address=address, agent=agent[:300], expires_at=moment + _longest(),
        access_until=moment + _access_lifetime(),
    )  # fmt: skip
    token = PREFIX + secrets.token_urlsafe(32)
    _store(token, session)
    return _pair(account, session, token)


def refresh(token: str, address: str) -> dict[str, Any]:
    """Return the next pair of tokens for a refresh token.

    Raises:
        Unauthenticated: it is no good, was used before, or its session has ended.
    """
    if _found(token) is None:  # Whatever strangers send, nobody waits for their writes.
        raise Unauthenticated(_DEAD)
    with transaction():
        pair, stolen = _refreshed(token, address)
    if pair is None:
        raise Unauthenticated(
            "This refresh token was used before, so its session has ended; log in again."
            if stolen
            else _DEAD
        )
    return pair


def _refreshed(token: str, address: str) -> tuple[dict[str, Any] | None, bool]:
    """Return the next pair, or None and whether the token was used before."""
    moment = now()
    row = _found(token)
    session = Session.find(row.session_id) if row else None
    if row is None or session is None or session.ended_at:
        return None, False
    if min(row.expires_at, session.expires_at) <= moment:
        return None, False
    successor = _successor(token)
    first = RefreshToken.update(used_at=moment).where(
        RefreshToken.digest == row.digest, RefreshToken.used_at.is_null()
    )
    if first.execute():
        _store(successor, session)
    elif _is_reused(row.digest, moment):
        _end_stolen(session, address)
        return None, True
    alive = Session.update(access_until=moment + _access_lifetime(), updated_at=moment).where(
        Session.id == session.id, Session.ended_at.is_null()
    )
    # Of a session that ended meanwhile no token may come, and what a token says is read
    # while the row is held, so that whoever changes it finds the token to revoke.
    if not alive.execute():
        return None, False
    account = Account.find(session.account_id)
    if account is None or not account.is_active:
        return None, False
    return _pair(account, Session.find(session.id), successor), False


def _is_reused(digest: str, moment: datetime) -> bool:
    used_at = RefreshToken.get_by_id(digest).used_at
    return bool(moment - used_at > timedelta(seconds=setting("accounts.refresh_grace_seconds")))


def _end_stolen(session: Session, address: str) -> None:
    if end(session, "refresh token used twice"):
        audit("session.stolen", f"session:{session.id}", account=str(session.account_id))
        mails.session_stolen(session.account, address)


def _found(token: str) -> RefreshToken | None:
    found: RefreshToken | None = RefreshToken.get_or_none(RefreshToken.digest == _digest(token))
    return found


def _successor(token: str) -> str:
    key = derive_key("accounts refresh tokens")
    return PREFIX + hmac.new(key, token.encode(), sha256).hexdigest()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _store(token: str, session: Session) -> None:
    lifetime = timedelta(days=setting("accounts.refresh_days"))
    RefreshToken.create(digest=_digest(token), session=session.id, expires_at=now() + lifetime)


def _pair(account: Account, session: Any, refresh_token: str) -> dict[str, Any]:
    lifetime = _access_lifetime()
    access = issue_token(
        str(account.id), (account.role,), "access", lifetime,
        sid=str(session.id), ver=session.version, org=organization_of(account),
    )  # fmt: skip
    return {
        "access": access,
        "refresh": refresh_token,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
    }


def organization_of(account: Account) -> str:
    """Return the organization that an account acts for."""
    organization = account.organization
    return str(organization.id) if organization is not None and organization.is_active else ""


def _access_lifetime() -> timedelta:
    return timedelta(minutes=setting("accounts.access_minutes"))


def _longest() -> timedelta:
    return timedelta(days=setting("accounts.session_days"))


def goes_on(account_id: UUID) -> Any:
    """Return the condition that a session is an account's and has not ended."""
    mine = (Session.account == account_id) & Session.ended_at.is_null()
    return mine & (Session.expires_at > now())


def living(account_id: UUID) -> Any:
    """Return the query of an account's sessions that have not ended, the last used first."""
    return (
        Session.select().where(goes_on(account_id)).order_by(Session.updated_at.desc(), Session.id)
    )


def _end_oldest(account: Account) -> None:
    for session in living(account.id).offset(MOST - 1).limit(MOST):
        end(session, "too many sessions")


def end(session: Session, reason: str) -> bool:
    """End a session: its tokens are refused from the commit on; call it in a transaction.

    Returns:
        Whether it had not ended before.
    """
    moment = now()
    ended = Session.update(ended_at=moment, end_reason=reason).where(
        Session.id == session.id, Session.ended_at.is_null()
    )
    if not ended.execute():
        return False
    revoke_session(str(session.id), _until(session, moment))
    session_ended.publish(
        str(session.account_id),
        {"id": session.id, "account": session.account_id, "reason": reason},
    )
    return True


def _until(session: Session, moment: datetime) -> datetime:
    """Return when no access token of a session is good any more.

    A refresh that held this row before us may have signed one just now.
    """
    latest: datetime = max(session.access_until, moment + _access_lifetime())
    return latest


def end_one(account_id: UUID, session_id: str, reason: str) -> bool:
    """End one session of an account; return whether there was one. Call it in a transaction."""
    found = (row for row in living(account_id) if str(row.id) == session_id)
    session: Session | None = next(found, None)
    if session is not None:
        end(session, reason)
    return session is not None


def revoke(token: str) -> None:
    """End the session of a refresh token, if there is one (RFC 7009)."""
    row = _found(token)
    if row is not None:
        with transaction():
            end(row.session, "logged out")


def prune() -> int:
    """Forget sessions that ended or expired long ago, with their tokens; return how many."""
    old = now() - _KEPT
    over = (Session.ended_at < old) | (Session.expires_at < old)
    number: int = Session.delete().where(over).execute()
    spent = (RefreshToken.expires_at < now()) | (RefreshToken.used_at < now() - _SPENT)
    RefreshToken.delete().where(spent).execute()
    return number


def end_all(account_id: UUID, reason: str, *, but: str = "") -> int:
    """End an account's sessions; return how many.

    Args:
        but: the id of one that goes on.
    """
    found = [session for session in _in_order(account_id) if str(session.id) != but]
    return sum(end(session, reason) for session in found)


def renew_all(account_id: UUID) -> None:
    """Have an account's access tokens refused: what they say of it has changed.

    Its sessions go on; each gets new tokens by refreshing.
    """
    for session in _in_order(account_id):
        Session.update(version=Session.version + 1).where(Session.id == session.id).execute()
        version = Session.find(session.id).version  # type: ignore[union-attr]
        revoke_session(str(session.id), _until(session, now()), version)


def _in_order(account_id: UUID) -> list[Session]:
    """Return the living sessions in the order in which everybody locks them."""
    return sorted(living(account_id), key=lambda session: session.id)
