"""Deliveries: what leaves the shop, by which way, when, and in which digest."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from bodega_accounts import api as accounts
from bodega_notifications import addressing, preferences, rendering
from bodega_notifications.kinds import TEAM, NotificationType
from bodega_notifications.models import Delivery, Inbox, Notification, Target
from bodega_notifications.registry import known
from bodega_notifications.sending import send
from bodega_notifications.timing import next_digest, zone_of
from bodega_notifications.wording import Message
from bodega_sdk import database, now, send_mail, setting
from bodega_sdk.errors import InvalidInput

log = structlog.get_logger(__name__)
#: A notification, its type, and who is told; None for the team.
Told = tuple[NotificationType, Notification, accounts.Person | None]


# What is to be delivered.


def plan(told: list[Told], inboxes: Mapping[UUID, Inbox]) -> None:
    """Write the deliveries of new notifications, and hand over those that are due."""
    targets = _targets_of(person.id for _, _, person in told if person)
    moment = now()
    made = [
        delivery
        for kind, note, person in told
        for delivery in (
            _to_person(kind, note, person, inboxes[person.id], targets, moment)
            if person
            else _to_team(note, moment)
        )
    ]
    for delivery in made:
        delivery.save(force_insert=True)
    hand_over([item for item in made if not item.digest])


def _targets_of(ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for row in Target.select().where(Target.account.in_(list(set(ids)))).order_by(Target.id):
        found[row.account].append(str(row.id))
    return found


def _to_person(
    kind: NotificationType, note: Notification, person: accounts.Person, inbox: Inbox,
    targets: Mapping[UUID, list[str]], moment: datetime,
) -> Iterator[Delivery]:  # fmt: skip
    due_at = _when(kind, inbox, person, moment)
    places = {"email": [""], "sms": [""] if person.phone else [], "push": targets.get(person.id)}
    for channel, there in places.items():
        if preferences.wants(kind, channel, inbox):
            for target in there or ():
                yield _delivery(note, channel, target, due_at, digest=due_at > moment)


def _when(
    kind: NotificationType, inbox: Inbox, person: accounts.Person, moment: datetime
) -> datetime:
    zone = zone_of(preferences.zone_name(inbox, person))
    mode = preferences.digest_of(kind, inbox)
    due_at = next_digest(mode, moment, zone, setting("notifications.digest_hour"))
    quiet = preferences.quiet_of(kind, inbox)
    return quiet.end_after(due_at, zone) if quiet else due_at


def _to_team(note: Notification, moment: datetime) -> Iterator[Delivery]:
    for target in addressing.team() or {"": ""}:
        yield _delivery(note, TEAM, target, moment)


def _delivery(
    note: Notification, channel: str, target: str, due_at: datetime, *, digest: bool = False
) -> Delivery:
    return Delivery(
        notification=note, account=note.account, channel=channel, target=target,
        status="waiting", digest=digest, due_at=due_at,
    )  # fmt: skip


# Handing over what is due.


def due(limit: int = 500) -> list[Delivery]:
    """Return deliveries whose time has come, held until the commit; others' are left out."""
    query = Delivery.select().where(Delivery.status == "waiting", Delivery.due_at <= now())
    query = query.order_by(Delivery.due_at, Delivery.id).limit(limit)
    if database.obj.for_update:
        query = query.for_update("FOR UPDATE SKIP LOCKED")
    return list(query)


def hand_over(deliveries: Iterable[Delivery]) -> None:
    """Make mails of deliveries, and jobs of the others; call it in the transaction of both."""
    found = _unread_ones(deliveries)
    people = accounts.people(item.account for item in found if item.account)
    for group in _groups(found):
        person = people.get(group[0].account)
        try:
            _hand_over(group, person)
        except InvalidInput as error:
            mark(group, status="failed", error=str(error))


def _unread_ones(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Return the deliveries, without what was read or deleted while it waited."""
    left = []
    for item in deliveries:
        note = item.notification
        if item.digest and (note.read_at or note.deleted_at):
            mark([item], status="skipped")
        else:
            left.append(item)
    return left


def _groups(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Yield what goes out together: digests to one place, everything else alone."""
    together: dict[Any, list[Delivery]] = defaultdict(list)
    for item in deliveries:
        if item.digest:
            together[item.account, item.channel, item.target].append(item)
        else:
            yield [item]
    yield from together.values()


def _hand_over(group: list[Delivery], person: accounts.Person | None) -> None:
    first = group[0]
    if first.channel == "email":
        assert person is not None, "deliveries go with their account"
        language = person.preferences.get("language")
        message = mail_of([item.notification for item in group], language)
        mail = send_mail(person.email, message.title, message.text, message.html)
        mark(group, status="mailed", mail=mail, sent_at=now())
    elif addressing.is_set(first):
        mark(group, status="queued")
        send.enqueue(deliveries=[str(item.id) for item in group])
    else:
        mark(group, status="kept")


def mail_of(notes: list[Notification], language: object) -> Message:
    """Return one mail that tells of notifications, in a language."""
    kinds = known()
    told = []
    for note in notes:
        kind = kinds.get(note.type)
        if kind is None:  # Its addon was disabled meanwhile: as it reads in the inbox.
            told.append((Message(note.title, note.text), note.link))
        else:
            told.append(rendering.render(kind, language, note.data))
    if len(told) > 1:
        return rendering.as_digest(told, language)
    message, link = told[0]
    return rendering.as_mail(message, link, language)


def mark(group: Iterable[Delivery], **changes: Any) -> None:
    """Write down what became of deliveries."""
    for item in group:
        for name, value in (changes | {"updated_at": now()}).items():
            setattr(item, name, value)
        item.save()
