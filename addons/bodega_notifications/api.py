"""What other addons may call.

They add types by the hook ``notification_types``; most types name an event and who is
told of it, and nothing is called at all.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from bodega_notifications.kinds import NotificationType, holders, member, nobody
from bodega_notifications.making import Fact, make, stored
from bodega_notifications.registry import named
from bodega_sdk import transaction, uuid7

__all__ = ["NotificationType", "holders", "member", "nobody", "notify"]


def notify(
    account_ids: Iterable[UUID], type: str, data: Mapping[str, Any], *, key: str = ""
) -> int:
    """Tell people something, in the transaction that is open.

    Args:
        account_ids: who is told; those that are gone are left out.
        type: name of a type that an enabled addon has.
        data: what its templates are filled with, JSON-serialisable.
        key: what tells this fact from every other one of the type, e.g. ``"order 7, day 3"``:
            told again with the same key, nobody hears of it twice. Each call is a fact of
            its own when empty.

    Returns:
        How many were told that had not been before.

    Raises:
        BodegaError: there is no such type.
    """
    source = f"key {key}" if key else f"call {uuid7()}"
    fact = Fact(named(type), source, tuple(dict.fromkeys(account_ids)), stored(data))
    with transaction():
        return make([fact])
