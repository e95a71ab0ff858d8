"""Who may call what: permission names, and the two that every shop has."""

from collections.abc import Iterable, Mapping

from bodega_sdk.runtime import runtime

#: Anybody, logged in or not, e.g. ``Identity().may(PUBLIC)``.
PUBLIC = "public"
#: Anybody who is logged in, e.g. ``Identity("7").may(AUTHENTICATED)``.
AUTHENTICATED = "authenticated"
#: The roles a user can have, least first, e.g. ``ROLES[0]``. ``admin`` holds every permission.
ROLES = ("user", "vendor", "staff", "admin")


def permissions_of(
    roles: Iterable[str], grants: Mapping[str, frozenset[str]], everything: frozenset[str]
) -> frozenset[str]:
    """Return the permissions that a set of roles holds.

    Args:
        roles: names out of :data:`ROLES`; unknown ones hold nothing.
        grants: role → permissions, merged from the manifests of the enabled addons.
        everything: all declared permissions: what ``admin`` holds.
    """
    held: frozenset[str] = frozenset()
    for role in roles:
        held |= everything if role == "admin" else grants.get(role, frozenset())
    return held


def permissions_held_by(*roles: str) -> frozenset[str]:
    """Return the permissions that roles hold in this shop, as it is now.

    Args:
        roles: names out of :data:`ROLES`.

    Example::

        >>> permissions_held_by("user") <= permissions_held_by("admin")
        True
    """
    return runtime().permissions_of(roles)
