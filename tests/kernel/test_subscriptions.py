"""Subscriptions: each event once, in order, on from where the subscription stands."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.jobs.sweeper import Sweeper, feed
from bodega_sdk import Event, Occurrence, Subscription, transaction

created = Event("note.created", "A note was written.", {"title": "its title"})
Follow = Callable[[], None]


@pytest.fixture
def seen() -> list[str]:
    """The keys of the events that the subscription of the test was given."""
    return []


@pytest.fixture
def subscription(notes_shop: Any, seen: list[str]) -> Subscription:
    """A subscription that is placed at the end of the log."""

    def note_down(event: Occurrence) -> None:
        seen.append(event.key)

    made = Subscription("note.created", note_down)
    outbox.relay(notes_shop.databases.shop)
    assert feed(notes_shop.current, made) == 0
    return made


def publish(shop: Any, *keys: str) -> None:
    for key in keys:
        with transaction():
            created.publish(key, {"title": key})
    outbox.relay(shop.databases.shop)


def test_events_are_given_once_and_in_order(
    notes_shop: Any, subscription: Subscription, seen: list[str]
) -> None:
    publish(notes_shop, "a", "b", "c")
    assert feed(notes_shop.current, subscription) == 3
    assert feed(notes_shop.current, subscription) == 0
    publish(notes_shop, "d")
    assert feed(notes_shop.current, subscription) == 1
    assert seen == ["a", "b", "c", "d"]


def test_a_new_subscription_begins_with_what_happens_next(
    notes_shop: Any, subscription: Subscription, seen: list[str]
) -> None:
    publish(notes_shop, "before")
    late: list[str] = []

    def other(event: Occurrence) -> None:
        late.append(event.key)

    latecomer = Subscription("note.created", other)
    assert feed(notes_shop.current, latecomer) == 0
    publish(notes_shop, "after")
    feed(notes_shop.current, latecomer)
    feed(notes_shop.current, subscription)
    assert late == ["after"]
    assert seen == ["before", "after"]


READER = """
from bodega_sdk import hookimpl

heard = []


def hear(event):
    heard.append(event.key)


@hookimpl
def register_subscriptions(events):
    events.on("note.created", hear)
"""


def test_what_happens_before_a_worker_knows_of_an_addon_is_told_to_it_all_the_same(
    notes_shop: Any, site: Any, rebind: Follow
) -> None:
    publish(notes_shop, "before")
    fields = "depends=('notes',), uses={'events': ('note.created',)}"
    site.write("reader", READER, fields=fields)
    lifecycle.enable(notes_shop, "reader")
    publish(notes_shop, "at once")
    # Only now a worker follows.
    rebind()
    (subscription,) = (
        item for item in notes_shop.assembly.subscriptions if "reader" in item.handler.__module__
    )
    assert feed(notes_shop.current, subscription) == 1
    assert site.module("reader", "plugin").heard == ["at once"]


def test_events_of_other_names_are_passed_over(
    notes_shop: Any, subscription: Subscription, seen: list[str]
) -> None:
    with transaction():
        Event("account.created", "An account was made.", {}).publish("someone", {})
    publish(notes_shop, "a")
    assert feed(notes_shop.current, subscription) == 1
    assert seen == ["a"]


def test_no_more_than_the_limit_is_given_at_a_time(
    notes_shop: Any, subscription: Subscription, seen: list[str]
) -> None:
    publish(notes_shop, "a", "b", "c")
    assert feed(notes_shop.current, subscription, limit=2) == 2
    assert seen == ["a", "b"]
    assert feed(notes_shop.current, subscription, limit=2) == 1


def test_a_handler_that_fails_is_given_the_same_event_again_and_its_writes_are_undone(
    notes_shop: Any, subscription: Subscription, site: Any
) -> None:
    note = site.module("notes", "models").Note
    attempts: list[str] = []

    def fails_once(event: Occurrence) -> None:
        attempts.append(event.key)
        note.create(title=f"copy of {event.key}")
        if len(attempts) == 1:
            raise OSError("not yet")

    failing = Subscription("note.created", fails_once)
    feed(notes_shop.current, failing)
    publish(notes_shop, "a", "b")
    with pytest.raises(OSError, match="not yet"):
        feed(notes_shop.current, failing)
    assert note.select().where(note.title.startswith("copy")).count() == 0
    assert feed(notes_shop.current, failing) == 2
    assert attempts == ["a", "a", "b"]
    copies = note.select().where(note.title.startswith("copy"))
    assert sorted(row.title for row in copies) == ["copy of a", "copy of b"]


def test_several_workers_at_once_give_each_event_once_and_in_order(
    notes_shop: Any, subscription: Subscription, seen: list[str], threads: Any
) -> None:
    keys = [f"{number:02}" for number in range(30)]
    publish(notes_shop, *keys)
    barrier = threading.Barrier(3)

    def feed_until_empty() -> int:
        barrier.wait(10)
        fed = 0
        for _ in range(40):
            fed += feed(notes_shop.current, subscription, limit=5)
        return fed

    assert sum(threads.run(*[feed_until_empty] * 3)) == 30
    assert seen == keys


def test_a_subscription_of_an_addon_goes_on_from_its_place_after_it_was_disabled(
    notes_shop: Any, site: Any, rebind: Follow
) -> None:
    site.install("pins")
    lifecycle.enable(notes_shop, "pins")
    rebind()
    pin = site.module("pins", "models").Pin
    outbox.relay(notes_shop.databases.shop)
    Sweeper(notes_shop).sweep()
    publish(notes_shop, "a")
    Sweeper(notes_shop).sweep()
    lifecycle.disable(notes_shop, "pins")
    rebind()
    publish(notes_shop, "b", "c")
    Sweeper(notes_shop).sweep()
    assert [row.note for row in pin.select().order_by(pin.place)] == ["a"]
    lifecycle.enable(notes_shop, "pins")
    rebind()
    publish(notes_shop, "d")
    Sweeper(notes_shop).sweep()
    assert [row.note for row in pin.select().order_by(pin.place)] == ["a", "b", "c", "d"]


def test_a_handler_that_always_fails_does_not_keep_other_addons_from_being_fed(
    notes_shop: Any, site: Any, rebind: Follow
) -> None:
    site.install("pins")
    site.write(
        "bad",
        "from bodega_sdk import hookimpl\n"
        "def fail(event): raise RuntimeError('always')\n"
        "@hookimpl\n"
        "def register_subscriptions(events): events.on('note.created', fail)\n",
        fields='uses={"events": ("note.created",)}',
    )
    lifecycle.enable(notes_shop, "bad")
    lifecycle.enable(notes_shop, "pins")
    rebind()
    pin = site.module("pins", "models").Pin
    outbox.relay(notes_shop.databases.shop)
    sweep_in_spite_of_errors(notes_shop)
    publish(notes_shop, "a")
    sweep_in_spite_of_errors(notes_shop)
    assert [row.note for row in pin.select()] == ["a"]


def sweep_in_spite_of_errors(shop: Any) -> None:
    """Sweep twice as the sweeper's thread does, which outlives errors."""
    for _ in range(2):
        try:
            Sweeper(shop).sweep()
        except RuntimeError:
            continue
