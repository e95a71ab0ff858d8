"""Which types of notifications there are in this shop."""

from collections.abc import Mapping

import structlog

from bodega_notifications.first_party import TYPES
from bodega_notifications.hookspecs import notification_types
from bodega_notifications.kinds import NotificationType
from bodega_sdk.errors import BodegaError

log = structlog.get_logger(__name__)
Kinds = Mapping[str, NotificationType]


def known() -> Kinds:
    """Return all types of the enabled addons by name, those of the house first.

    Raises:
        HookFailed: an addon that adds types fails.
    """
    found: dict[str, NotificationType] = {}
    for item in notification_types(TYPES):
        if item.name in found:
            log.error("two types of notifications have one name", type=item.name)
        else:
            found[item.name] = item
    return found


def named(name: str) -> NotificationType:
    """Return a type.

    Raises:
        BodegaError: no enabled addon has one of this name.
    """
    kinds = known()
    if name not in kinds:
        listed = ", ".join(sorted(kinds))
        raise BodegaError(f"no type of notification is called {name!r}; there are: {listed}")
    return kinds[name]
