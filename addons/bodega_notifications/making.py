"""Making notifications: one for each person a fact concerns, and never a second one."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_notifications import counting, preferences
from bodega_notifications.delivering import plan
from bodega_notifications.events import notification_created
from bodega_notifications.kinds import TEAM, NotificationType
from bodega_notifications.models import Inbox, Notification
from bodega_notifications.rendering import render
from bodega_sdk import setting, uuid7
from bodega_sdk.bulk import portions

#: People who are told at a time: databases take so many values in one statement.
PORTION = 1000


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, and whom it concerns.

    Args:
        source: what tells it from every other fact of its type.
        accounts: ids.
    """

    kind: NotificationType
    source: str
    accounts: tuple[UUID, ...]
    data: Mapping[str, Any]

    def to(self, some: Iterable[UUID]) -> "Fact":
        """Return the fact for some of those it concerns."""
        wanted = frozenset(some)
        return replace(self, accounts=tuple(key for key in self.accounts if key in wanted))

    def key(self, account: UUID | None) -> str:
        """Return what nobody is told twice by."""
        told = json.dumps([self.kind.name, self.source, str(account or TEAM)])
        return sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Draft:
    """A notification that is to be written, unless it was before."""

    kind: NotificationType
    row: Notification
    person: accounts.Person | None


def make(facts: Iterable[Fact]) -> int:
    """Tell people of facts; call it in a transaction.

    Returns:
        How many notifications there are that were not there before.
    """
    told = list(facts)
    ids = sorted({key for fact in told for key in fact.accounts})
    if len(ids) <= PORTION:
        return _make(told)
    # In the order of the ids, in which everybody holds inboxes.
    return sum(_make([fact.to(some) for fact in told]) for some in portions(ids, PORTION))


def _make(told: list[Fact]) -> int:
    people = accounts.people(key for fact in told for key in fact.accounts)
    inboxes = preferences.held(people)
    drafts = [draft for fact in told for draft in _drafts(fact, people, inboxes)]
    fresh = _written(drafts)
    plan([(draft.kind, draft.row, draft.person) for draft in fresh], inboxes)
    _publish([draft.row for draft in fresh if draft.row.in_app and draft.person])
    return len(fresh)


def _drafts(
    fact: Fact, people: Mapping[UUID, accounts.Person], inboxes: Mapping[UUID, Inbox]
) -> Iterator[Draft]:
    for key in fact.accounts:
        person = people.get(key)
        # Somebody who cannot log in is told of that, and of nothing else.
        if person is not None and (person.is_active or fact.kind.security):
            in_app = preferences.wants(fact.kind, "in_app", inboxes[key])
            yield _draft(fact, person, in_app=in_app)
    if TEAM in fact.kind.channels:
        yield _draft(fact, None, in_app=False)


def _draft(fact: Fact, person: accounts.Person | None, *, in_app: bool) -> Draft:
    language = person.preferences.get("language") if person else setting("notifications.language")
    message, link = render(fact.kind, language, fact.data)
    account = person.id if person else None
    row = Notification(
        id=uuid7(), key=fact.key(account), account=account, type=fact.kind.name,
        title=message.title, text=message.text, link=link[:1000], data=dict(fact.data),
        in_app=in_app,
    )  # fmt: skip
    return Draft(fact.kind, row, person)


def _written(drafts: list[Draft]) -> list[Draft]:
    """Write those that are new; return them."""
    fresh: set[UUID] = set()
    for some in portions(drafts, 200):
        rows = [draft.row.__data__ for draft in some]
        Notification.insert_many(rows).on_conflict_ignore().execute()
        # Ids are new each time: those that are there now were written here.
        ids = [draft.row.id for draft in some]
        there = Notification.select(Notification.id).where(Notification.id.in_(ids))
        fresh |= {key for (key,) in there.tuples()}
    return [draft for draft in drafts if draft.row.id in fresh]


def _publish(rows: list[Notification]) -> None:
    for row in rows:
        shown = {name: getattr(row, name) for name in ("id", "account", "type", "title", "link")}
        notification_created.publish(str(row.account), shown)
    for account in sorted({row.account for row in rows}):
        counting.tell(account)


def stored(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data as they come back from the database; what JSON does not know as text."""
    found: dict[str, Any] = json.loads(json.dumps(dict(data), default=str))
    return found
