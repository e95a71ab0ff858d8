"""What people choose: which ways for which type, how often, and when not."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_notifications.kinds import PERSONAL, NotificationType
from bodega_notifications.models import Inbox
from bodega_notifications.registry import Kinds
from bodega_notifications.timing import DIGESTS, Quiet, zone_of
from bodega_sdk import locked
from bodega_sdk.errors import FieldError, InvalidInput, NotFound


def held(ids: Iterable[UUID]) -> dict[UUID, Inbox]:
    """Return the inboxes of accounts that there are, held until the commit.

    Everybody holds them in the order of their ids, so that nobody waits in a circle.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = [{"account": key} for key in wanted]
    Inbox.insert_many(rows).on_conflict_ignore().execute()
    query = Inbox.select().where(Inbox.account.in_(wanted)).order_by(Inbox.account)
    return {row.account: row for row in locked(query)}


def read(account: UUID) -> Inbox:
    """Return somebody's inbox as it stands; one that was never written has the defaults."""
    return Inbox.get_or_none(Inbox.account == account) or Inbox(account=account)


def person_of(account: UUID) -> accounts.Person:
    """Return who an account belongs to.

    Raises:
        NotFound: it was deleted.
    """
    found = accounts.people([account]).get(account)
    if found is None:
        raise NotFound("Your account was deleted.")
    return found


def wants(kind: NotificationType, channel: str, inbox: Inbox) -> bool:
    """Whether somebody is told of a type by a way."""
    if is_locked(kind, channel):
        return True
    told = inbox.choices.get(kind.name, {}).get("channels", {}).get(channel)
    return channel in kind.channels if told is None else bool(told)


def is_locked(kind: NotificationType, channel: str) -> bool:
    """Whether a way cannot be switched off."""
    return kind.security and channel in kind.channels


def digest_of(kind: NotificationType, inbox: Inbox) -> str:
    """Return how often somebody is sent what they are told of a type."""
    told = inbox.choices.get(kind.name, {}).get("digest", DIGESTS[0])
    return DIGESTS[0] if kind.security or told not in DIGESTS else str(told)


def quiet_of(kind: NotificationType, inbox: Inbox) -> Quiet | None:
    """Return the hours in which somebody is sent nothing of a type."""
    return None if kind.security else Quiet.read(inbox.quiet_begins, inbox.quiet_ends)


def zone_name(inbox: Inbox, person: accounts.Person) -> str:
    """Return the name of somebody's time zone: chosen here, or kept with their profile."""
    return zone_of(inbox.time_zone, person.preferences.get("time_zone")).key


def shown(kinds: Kinds, inbox: Inbox, person: accounts.Person) -> dict[str, Any]:
    """Return somebody's preferences as they are shown."""
    quiet = Quiet.read(inbox.quiet_begins, inbox.quiet_ends)
    hours = {"begins": inbox.quiet_begins, "ends": inbox.quiet_ends} if quiet else None
    return {
        "time_zone": zone_name(inbox, person),
        "quiet_hours": hours,
        "types": {kind.name: _shown(kind, inbox) for kind in kinds.values()},
    }


def _shown(kind: NotificationType, inbox: Inbox) -> dict[str, Any]:
    return {
        "title": kind.title,
        "channels": {channel: wants(kind, channel, inbox) for channel in PERSONAL},
        "digest": digest_of(kind, inbox),
        "locked": [channel for channel in PERSONAL if is_locked(kind, channel)],
    }


def replace(inbox: Inbox, kinds: Kinds, data: dict[str, Any]) -> None:
    """Set somebody's preferences; what is not told is the default again.

    Raises:
        InvalidInput: there is no such type, or something cannot be switched off.
    """
    told: dict[str, Any] = data["types"]
    errors = [error for name in told for error in _faults(name, told[name], kinds)]
    if errors:
        raise InvalidInput(f"{len(errors)} value(s) are not acceptable.", errors[:50])
    # Those of an addon that is disabled just now are as they were when it comes back.
    resting = {name: kept for name, kept in inbox.choices.items() if name not in kinds}
    quiet = data["quiet_hours"] or {"begins": "", "ends": ""}
    changes = {
        "choices": resting | told,
        "quiet_begins": quiet["begins"],
        "quiet_ends": quiet["ends"],
        "time_zone": data["time_zone"] or "",
    }
    Inbox.update(changes).where(Inbox.account == inbox.account).execute()


def _faults(name: str, told: dict[str, Any], kinds: Kinds) -> Iterable[FieldError]:
    kind = kinds.get(name)
    if kind is None:
        listed = ", ".join(sorted(kinds))
        yield FieldError(f"types.{name[:100]}", f"Unknown; there are: {listed}.")
        return
    for channel, wanted in told.get("channels", {}).items():
        if not wanted and is_locked(kind, channel):
            message = "What concerns the security of your account cannot be switched off."
            yield FieldError(f"types.{name}.channels.{channel}", message, False)
    if kind.security and told.get("digest", DIGESTS[0]) != DIGESTS[0]:
        message = "What concerns the security of your account is told immediately."
        yield FieldError(f"types.{name}.digest", message, told["digest"])
