"""The places that notifications are sent to: the operator's addresses, and people's own."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_notifications.kinds import TEAM
from bodega_notifications.models import Delivery, Target
from bodega_sdk import seal, setting, unseal

_PURPOSE = "notifications target"


def team() -> dict[str, str]:
    """Return the operator's addresses for the team, each by a name that tells nothing of it."""
    urls = setting("notifications.team_urls").split()
    return {sha256(url.encode()).hexdigest()[:32]: url for url in urls}


def is_set(delivery: Delivery) -> bool:
    """Whether there is an address for a delivery's way; else it is kept."""
    if delivery.channel == TEAM:
        return bool(delivery.target)
    return delivery.channel != "sms" or bool(setting("notifications.sms_url"))


def url_of(delivery: Delivery) -> str | None:
    """Return the address that a delivery goes to; None when it is gone."""
    if delivery.channel == TEAM:
        return team().get(delivery.target)
    if delivery.channel == "push":
        row = Target.get_or_none(Target.id == UUID(delivery.target))
        return None if row is None else opened(row)
    person = accounts.people([delivery.account]).get(delivery.account)
    template: str = setting("notifications.sms_url")
    if person is None or not person.phone or not template:
        return None
    # Nothing but the number: the address of the service is the operator's alone.
    number = "".join(one for one in person.phone if one.isdigit() or one == "+")
    return template.replace("{phone}", number)


def sealed(row_id: UUID, url: str) -> str:
    """Return the address of a target as it is stored."""
    return seal(f"{_PURPOSE} {row_id}", url)


def opened(row: Any) -> str:
    """Return the address of a target."""
    return unseal(f"{_PURPOSE} {row.id}", row.url)
