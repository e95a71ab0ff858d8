"""Types of notifications: what people can be told, declared as data."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_sdk import Occurrence

#: The ways by which one person is told.
PERSONAL = ("in_app", "email", "sms", "push")
#: The shop's own team, once for all of them, at the addresses that the operator set.
TEAM = "team"
CHANNELS = (*PERSONAL, TEAM)
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
#: What is published here must not come back as news.
_OWN_EVENTS = ("notification.", "inbox.")

#: Who is told of an event: ids of accounts; what is none is left out.
Audience = Callable[[Occurrence], Iterable[Any]]


def nobody(event: Occurrence) -> tuple[UUID, ...]:
    """The audience of what has no person in it, such as news for the team alone."""
    return ()


def member(name: str) -> Audience:
    """Return the audience that a member of the event's data names by the account's id."""

    def find(event: Occurrence) -> tuple[Any, ...]:
        return (event.data.get(name),)

    return find


def holders(permission: str) -> Audience:
    """Return the audience of everybody whose role holds a permission."""

    def find(event: Occurrence) -> list[UUID]:
        return accounts.holders_of(permission)

    return find


def always(event: Occurrence) -> bool:
    """Every occurrence of an event is news."""
    return True


@dataclass(frozen=True, slots=True)
class NotificationType:
    """Something that people can be told.

    Args:
        name: ``"noun.past_participle"`` by convention, e.g. ``"order.shipped"``; one for the
            whole shop, and its templates are called after it.
        title: a few words for people who choose what they are told, and for operators.
        event: the event that it tells of; empty for one that only ``notify`` makes.
        audience: who is told of it.
        when: whether an occurrence of the event is worth telling.
        channels: by which ways unless people choose otherwise, out of ``CHANNELS``.
        security: told at once, at night too, and by ``channels`` whatever people choose.
        heading, text, html, link: templates, for one that has no files of its own; the link
            is an address of the shop's pages.
        package: import name of the package whose folder ``notifications`` has its files.
        sample: data that previews are made of.
    """

    name: str
    title: str
    event: str = ""
    audience: Audience = nobody
    when: Callable[[Occurrence], bool] = always
    channels: tuple[str, ...] = ("in_app",)
    security: bool = False
    heading: str = ""
    text: str = ""
    html: str = ""
    link: str = ""
    package: str = ""
    sample: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > 100:
            raise ValueError(f"expected a name such as 'order.shipped', found {self.name!r}")
        unknown = [item for item in self.channels if item not in CHANNELS]
        if unknown:
            raise ValueError(f"{self.name}: expected channels of {CHANNELS}, found {unknown}")
        if self.event.startswith(_OWN_EVENTS):
            raise ValueError(f"{self.name}: {self.event} tells of notifications itself")


def account_ids(told: Iterable[Any]) -> tuple[UUID, ...]:
    """Return the account ids among what an audience said, each once, in their order."""
    return tuple(dict.fromkeys(key for item in told if (key := _uuid(item)) is not None))


def _uuid(item: Any) -> UUID | None:
    if isinstance(item, UUID):
        return item
    try:
        return UUID(item) if isinstance(item, str) else None
    except ValueError:
        return None
