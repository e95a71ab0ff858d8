"""Subscriptions as an operator sees them: how far they have read, and putting them back."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bodega.database import outbox
from bodega.database.tables import EventRow, SubscriptionRow
from bodega.jobs import feeding
from bodega_sdk.errors import Conflict, FieldError, NotFound
from bodega_sdk.events import Subscription
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Session

STATES = ("current", "behind", "failing", "disabled")
#: Unread events of a subscription are counted up to here.
COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a subscription has read the log.

    Args:
        name: ``EVENT>HANDLER``.
        event: the name or pattern that it is to.
        addon: whose it is; empty when no package that is here has it.
        batch: events that it is given at a time; None when one by one.
        state: one of :data:`STATES`.
        offset: its place: everything up to it was given.
        behind: events for it that it has not read; :data:`COUNTED` for that many and more.
        oldest_unread: when the first of them happened.
        failures: in a row.
        error: what was raised last.
        retry_at: before that it is not tried again.
        pruned: offsets that went before it read them, while its addon was disabled.
    """

    name: str
    event: str
    addon: str
    batch: int | None
    state: str
    offset: int
    behind: int
    oldest_unread: datetime | None
    failures: int
    error: str | None
    retry_at: datetime | None
    pruned: int

    @property
    def age(self) -> float:
        """Seconds since the oldest event that it has not read."""
        since = self.oldest_unread
        return 0.0 if since is None else max(0.0, (now() - since).total_seconds())

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in lists."""
        return asdict(self)


def standings(session: "Session") -> list[Standing]:
    """Return how far every subscription has read, in the order of their names."""
    database, rows = session.databases.shop, feeding.places()
    enabled = {item.name: item for item in session.assembly.subscriptions}
    newest, oldest = outbox.last_offset(database), outbox.oldest_offset(database)
    made = [
        _standing(session, row, enabled.get(name), newest, oldest) for name, row in rows.items()
    ]
    return sorted(made, key=lambda item: item.name)


def enabled_standings(session: "Session") -> list[Standing]:
    """Return how far those of the enabled addons have read."""
    return [item for item in standings(session) if item.state != "disabled"]


def _standing(
    session: "Session", row: SubscriptionRow, item: Subscription | None, newest: int, oldest: int
) -> Standing:
    event, place = row.name.partition(">")[0], row.offset
    behind, since = _unread(session.databases.shop, event, place, newest)
    failing = row.failures > 0
    state = "failing" if failing else "behind" if behind else "current"
    return Standing(
        row.name, event, _owner(session, row.name), None if item is None else item.batch,
        "disabled" if item is None else state, place, behind, since, row.failures, row.error,
        row.retry_at, max(0, oldest - 1 - place),
    )  # fmt: skip


def _unread(database: Any, event: str, place: int, newest: int) -> tuple[int, datetime | None]:
    """Return how many events behind a place are for a subscription, and when the first was."""
    if place >= newest:
        return 0, None
    first = next(outbox.read(database, place, 1, [event], until=newest), None)
    if first is None:
        return 0, None
    if event == "*":
        return min(newest - first.offset + 1, COUNTED), first.occurred_at
    return _count(event, first.offset, newest), first.occurred_at


def _count(event: str, first: int, last: int) -> int:
    """Return how many events there are for a subscription, counted as far as is said."""
    query = outbox.select([event]).where(EventRow.offset >= first, EventRow.offset <= last)
    return int(query.limit(COUNTED).count())


def _owner(session: "Session", name: str) -> str:
    """Return the addon whose package a subscription's handler is in."""
    handler = name.partition(">")[2]
    for addon, manifest in session.shop.catalogue.manifests.items():
        if handler.startswith(f"{manifest.package}."):
            return addon
    return ""


@dataclass(frozen=True, slots=True)
class Replay:
    """What putting a subscription back means.

    Args:
        place: where it stands.
        first: offset of the first event that it is given again.
        events: that it is given once more.
    """

    subscription: str
    place: int
    first: int
    events: int
    done: bool


def replay(session: "Session", name: str, first: int, *, dry_run: bool = False) -> Replay:
    """Put a subscription's place back, so that it is given events again.

    Args:
        first: offset of the first of them.
        dry_run: whether only to count.

    Raises:
        NotFound: there is no such subscription; the message names those there are.
        Conflict: the log does not reach back so far, or the subscription has not read so far.
    """
    with session.transaction():
        query = SubscriptionRow.select().where(SubscriptionRow.name == name)
        if session.databases.shop.for_update and not dry_run:
            query = query.for_update()
        row = query.first()
        if row is None:
            raise _unknown(name)
        _must_be_there(session, row, first)
        made = Replay(name, row.offset, first, _again(row, first), not dry_run)
        if not dry_run:
            _put_back(session, made)
    return made


def _again(row: SubscriptionRow, first: int) -> int:
    event = row.name.partition(">")[0]
    query = outbox.select([event]).where(EventRow.offset >= first, EventRow.offset <= row.offset)
    return int(query.count())


def _put_back(session: "Session", made: Replay) -> None:
    SubscriptionRow.update(offset=made.first - 1, failures=0, retry_at=None, error=None).where(
        SubscriptionRow.name == made.subscription
    ).execute()
    session.shop.audit(
        "subscription.replayed", f"subscription:{made.subscription}"[:200],
        first=made.first, place=made.place, events=made.events,
    )  # fmt: skip


def _must_be_there(session: "Session", row: SubscriptionRow, first: int) -> None:
    oldest = outbox.oldest_offset(session.databases.shop)
    if first > row.offset:
        message = f"It has read up to {row.offset}; it can only be put back."
        raise Conflict(f"{row.name} cannot go on at {first}. {message}", [_wrong(message, first)])
    if first < oldest:
        message = f"The log begins at {oldest}; what was before is pruned."
        raise Conflict(f"{row.name} cannot go on at {first}. {message}", [_wrong(message, first)])


def _wrong(message: str, first: int) -> FieldError:
    return FieldError("from", message, first)


def _unknown(name: str) -> NotFound:
    there: Iterable[str] = sorted(feeding.places())
    listed = ", ".join(there) or "none"
    return NotFound(
        f"There is no subscription {name!r}; there are: {listed}.",
        [FieldError("name", "No subscription has this name.", name)],
    )
