"""Feeding: giving subscriptions what happened, in order, each event once in what they write.

A subscription's place in the log moves in the transaction of its handler. Whoever feeds
holds the place's row, so that several workers take turns and none repeats what another did.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from bodega.database import outbox
from bodega.database.connection import is_postgres
from bodega.database.tables import SubscriptionRow
from bodega.security.callers import calling, of_subscription
from bodega.telemetry.metrics import SUBSCRIPTION_EVENTS
from bodega.telemetry.redaction import storable
from bodega_sdk.events import Occurrence, Subscription
from bodega_sdk.models import now

log = structlog.get_logger(__name__)
#: Events that a subscription is given in a turn one by one, before others have theirs.
TURN = 200
#: Seconds that a failing subscription waits at most.
LONGEST_WAIT = 300


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a subscription's turn.

    Args:
        given: events.
        place: where the subscription stood at the end.
        caught_up: whether nothing behind that place was left for it.
    """

    given: int
    place: int = 0
    caught_up: bool = False


def feed(shop: Any, subscription: Subscription, limit: int | None = None) -> int:
    """Give a subscription its next events; return how many.

    Args:
        limit: events at most; else a batch, or as many as it is given in a turn.

    Raises:
        Exception: what its handler raises; the event is given again the next time.
    """
    return take_turn(shop, subscription, limit).given


def feed_all(shop: Any) -> None:
    """Give every subscription a turn in this thread; one that fails disturbs no other."""
    rows = places()
    for subscription in shop.assembly.subscriptions:
        if not waits(rows.get(subscription.name)):
            guarded_turn(shop, subscription)


def places() -> Mapping[str, SubscriptionRow]:
    """Return where all subscriptions stand, by name."""
    return {row.name: row for row in SubscriptionRow.select()}


def waits(row: SubscriptionRow | None) -> bool:
    """Whether a subscription failed and is not tried again yet."""
    return row is not None and row.retry_at is not None and row.retry_at > now()


def guarded_turn(
    shop: Any, subscription: Subscription, go_on: Callable[[], bool] = lambda: True
) -> Turn:
    """Give a subscription a turn; when it fails, write down why and when it is tried again."""
    try:
        with calling(of_subscription(subscription.event)):
            return take_turn(shop, subscription, go_on=go_on)
    # A handler may raise anything, SystemExit included; the worker goes on.
    except (Exception, SystemExit) as error:
        wait = _failed(shop, subscription, error)
        log.exception(
            "a subscription failed and is tried again",
            subscription=subscription.name, after_seconds=wait,
        )  # fmt: skip
        return Turn(0)


def take_turn(
    shop: Any,
    subscription: Subscription,
    limit: int | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> Turn:
    """Give a subscription its next events.

    Args:
        go_on: asked before each portion.

    Raises:
        Exception: what its handler raises.
    """
    database, name = shop.databases.shop, subscription.name
    # The newest first: nothing up to it can be missing from what is read behind the place.
    newest = outbox.last_offset(database)
    row = SubscriptionRow.get_or_none(SubscriptionRow.name == name)
    place = outbox.begin_reading(database, [name]) if row is None else row.offset
    size = _size(subscription, 0 if row is None else row.failures, limit)
    if newest <= place:
        return Turn(0, place, caught_up=True)
    events = list(outbox.read(database, place, size, [subscription.event]))
    given = 0
    for portion in _portions(subscription, events):
        if not (go_on() and _give(shop, subscription, portion, place)):
            return Turn(given, place)
        given, place = given + len(portion), portion[-1].offset
    return Turn(given, place, caught_up=len(events) < size)


def _size(subscription: Subscription, failures: int, limit: int | None) -> int:
    size = min(subscription.batch or TURN, limit or subscription.batch or TURN)
    # After failures fewer at a time, so that all goes through but what cannot be dealt with.
    return max(1, size >> min(failures, 20)) if subscription.batch else size


def _portions(subscription: Subscription, events: list[Occurrence]) -> Iterable[list[Occurrence]]:
    if subscription.batch is None:
        return ([event] for event in events)
    return [events] if events else []


def _give(shop: Any, subscription: Subscription, portion: list[Occurrence], place: int) -> bool:
    """Give events and move the place; False when another worker is at it, or was quicker."""
    with shop.transaction():
        if _locked(shop.databases.shop, subscription.name) != place:
            return False
        subscription.handler(portion[0] if subscription.batch is None else portion)
        _moved(subscription.name, portion[-1].offset)
    SUBSCRIPTION_EVENTS.labels(subscription.name, "given").inc(len(portion))
    return True


def _locked(database: Any, name: str) -> int | None:
    """Hold a subscription's row and return its place; None while another worker holds it."""
    for found, place in _lock(database, [name]):
        return place if found == name else None
    return None


def _lock(database: Any, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    query = SubscriptionRow.select(SubscriptionRow.name, SubscriptionRow.offset)
    query = query.where(SubscriptionRow.name.in_(list(names)))
    if is_postgres(database):
        query = query.for_update("FOR UPDATE SKIP LOCKED")
    return iter(query.tuples())


def _moved(name: str, place: int) -> None:
    SubscriptionRow.update(offset=place, failures=0, retry_at=None, error=None).where(
        SubscriptionRow.name == name
    ).execute()


def _failed(shop: Any, subscription: Subscription, error: BaseException) -> int:
    """Write a failure down; return the seconds until the subscription is tried again."""
    SUBSCRIPTION_EVENTS.labels(subscription.name, "failed").inc()
    reason = storable("".join(traceback.format_exception_only(error)).strip())
    mine = SubscriptionRow.name == subscription.name
    with shop.transaction():
        row = SubscriptionRow.get_or_none(mine)
        failures = 1 if row is None else row.failures + 1
        wait: int = min(LONGEST_WAIT, 2 ** min(failures - 1, 10))
        at = now() + timedelta(seconds=wait)
        SubscriptionRow.update(failures=failures, retry_at=at, error=reason).where(mine).execute()
    return wait


def skip(shop: Any, verified: Mapping[str, int], until: int) -> set[str]:
    """Move places on over events that are not for their subscriptions.

    Args:
        verified: name of a subscription → a place behind which nothing is for it …
        until: … up to this offset.

    Returns:
        The names of those that were moved; others stand elsewhere by now, or are being fed.
    """
    behind = {name: place for name, place in verified.items() if place < until}
    if not behind:
        return set()
    with shop.transaction():
        rows = _lock(shop.databases.shop, sorted(behind))
        there = [name for name, place in rows if behind[name] == place]
        if there:
            SubscriptionRow.update(offset=until).where(SubscriptionRow.name.in_(there)).execute()
    return set(there)
