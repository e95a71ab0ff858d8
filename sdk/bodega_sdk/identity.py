"""Who is calling, and the tokens that prove it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bodega_sdk.permissions import AUTHENTICATED, PUBLIC
from bodega_sdk.runtime import runtime


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of a request, a socket or a command.

    Args:
        subject: the account's id as text; empty for an anonymous caller.
        roles: the account's roles, see :data:`bodega_sdk.permissions.ROLES`.
        permissions: what these roles hold in the current Assembly; of an API key, what it
            was made for of that.
        session: the login's id; empty without one.
        organization: the id of the account's organization; empty when it belongs to none.
        key: the API key's id, when one is calling; empty otherwise.

    Example::

        >>> Identity("7", ("staff",), frozenset({"loyalty.award"})).may("loyalty.award")
        True
    """

    subject: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    session: str = ""
    organization: str = ""
    key: str = ""

    @property
    def authenticated(self) -> bool:
        """Whether somebody is logged in, or an API key is calling."""
        return bool(self.subject)

    def may(self, permission: str) -> bool:
        """Whether the caller holds a permission (or it is PUBLIC or AUTHENTICATED).

        AUTHENTICATED is for people: an API key may only what it was made for.
        """
        if permission == PUBLIC:
            return True
        if permission == AUTHENTICATED:
            return self.authenticated and not self.key
        return self.authenticated and permission in self.permissions


#: Nobody in particular, e.g. ``ANONYMOUS.authenticated``, which is false.
ANONYMOUS = Identity()


def actor() -> str:
    """Return the id of the account that is at work; empty when the shop itself is.

    For what is written down of an act in domain functions, which know no request.

    Example::

        >>> with acting_for("7"):
        ...     actor()
        '7'
    """
    return runtime().actor()


def acting_for(subject: str) -> AbstractContextManager[None]:
    """Say for whom is done what is done in the block, e.g. by a job that somebody began.

    Args:
        subject: the account's id; empty for the shop itself.

    Example::

        >>> with acting_for("7"), acting_for("8"):
        ...     actor()
        '8'
    """
    return runtime().acting_for(subject)


def issue_token(
    subject: str, roles: tuple[str, ...], use: str, lifetime: timedelta, **claims: Any
) -> str:
    """Sign a JSON Web Token with the shop's current key.

    Args:
        subject: the account's id.
        roles: its roles.
        use: ``"access"`` or ``"refresh"``; a token of one use is refused for the other.
        lifetime: how long it is good.
        claims: further claims, JSON-serialisable. ``sid`` and ``ver`` name the session and
            its version, see :func:`revoke_session`; ``org`` the account's organization.

    Example::

        >>> token = issue_token("7", ("user",), "access", timedelta(minutes=15))
        >>> read_token(token, "access")["sub"]
        '7'
    """
    return runtime().issue_token(subject, roles, use, lifetime, claims)


def read_token(token: str, use: str) -> dict[str, Any]:
    """Return the claims of a token of this shop.

    Args:
        token: as it was sent, without ``Bearer``.
        use: ``"access"`` or ``"refresh"``.

    Raises:
        Unauthenticated: not ours, expired, or made for another use.

    Example::

        >>> read_token("not a token", "access")
        Traceback (most recent call last):
        bodega_sdk.errors.Unauthenticated: ...
    """
    return runtime().read_token(token, use)


def revoke_session(session: str, until: datetime, version: int | None = None) -> None:
    """Refuse a session's access tokens from the commit of the open transaction on.

    Every process of the shop refuses them then, without asking the database.

    Args:
        session: the claim ``sid`` of the tokens, or the id of an API key.
        until: when the last of them expires; by then this is forgotten.
        version: refuse only those whose claim ``ver`` is lower; all of them when None.

    Example::

        >>> with transaction():
        ...     revoke_session("0190f4a2", now() + timedelta(minutes=15))
        >>> token = issue_token("7", ("user",), "access", timedelta(minutes=15), sid="0190f4a2")
        >>> read_token(token, "access")
        Traceback (most recent call last):
        bodega_sdk.errors.Unauthenticated: The session of this token has ended; log in again.
    """
    runtime().revoke_session(session, until, version)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a credential belongs to.

    Args:
        key: the credential's id.
        subject: the account's id.
        roles: the account's roles.
        scopes: the permissions that the credential was made for; it holds those of them
            which the roles hold.
        organization: the id of the account's organization.
        expires_at: when the credential ends; None when it does not.

    Example::

        >>> Holder("k-1", "7", ("staff",), frozenset({"loyalty.award"})).expires_at is None
        True
    """

    key: str
    subject: str
    roles: tuple[str, ...]
    scopes: frozenset[str]
    organization: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A kind of credential beside the shop's own tokens, sent in their place.

    Args:
        prefix: what all of them begin with, ``_`` at its end.
        find: takes one as it was sent and returns its :class:`Holder`, None when it is
            no good. The answer is kept for a minute, or until a session is revoked.

    Example::

        >>> Credential("loyaltycard_", lambda sent: None).prefix
        'loyaltycard_'
    """

    prefix: str
    find: Callable[[str], Holder | None]
