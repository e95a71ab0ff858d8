"""Who is calling, and the tokens that prove it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bodega_sdk.permissions import AUTHENTICATED, PUBLIC
from bodega_sdk.runtime import runtime


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of a request, a socket or a command.

    Args:
        subject: the account's id as text; empty for an anonymous caller.
        roles: the account's roles, see :data:`bodega_sdk.permissions.ROLES`.
        permissions: what these roles hold in the current Assembly.

    Example::

        >>> Identity("7", ("staff",), frozenset({"loyalty.award"})).may("loyalty.award")
        True
    """

    subject: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()

    @property
    def authenticated(self) -> bool:
        """Whether somebody is logged in."""
        return bool(self.subject)

    def may(self, permission: str) -> bool:
        """Whether the caller holds a permission (or it is PUBLIC or AUTHENTICATED)."""
        if permission == PUBLIC:
            return True
        return self.authenticated and (
            permission == AUTHENTICATED or permission in self.permissions
        )


#: Nobody in particular, e.g. ``ANONYMOUS.authenticated``, which is false.
ANONYMOUS = Identity()


def issue_token(
    subject: str, roles: tuple[str, ...], use: str, lifetime: timedelta, **claims: Any
) -> str:
    """Sign a JSON Web Token with the shop's current key.

    Args:
        subject: the account's id.
        roles: its roles.
        use: ``"access"`` or ``"refresh"``; a token of one use is refused for the other.
        lifetime: how long it is good.
        claims: further claims, JSON-serialisable.

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
