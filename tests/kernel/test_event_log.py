"""The log's readers: patterns, batches, failures that wait, and readers of the log itself."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.database.connection import is_postgres
from bodega.database.tables import EventRow, SubscriptionRow
from bodega.errors import AddonError
from bodega.jobs import feeding
from bodega.jobs.feeder import Feeder
from bodega.jobs.feeding import feed, feed_all
from bodega.jobs.relay import Relay
from bodega_sdk import (
    Event,
    Occurrence,
    Subscription,
    Subscriptions,
    event_types,
    newest_offset,
    now,
    read_log,
    transaction,
)
from bodega_sdk.errors import CapabilityError
from bodega_sdk.runtime import bound
from bodega_sdk.testing.queries import query_counter

created = Event("note.created", "A note was written.", {"title": "its title"})
registered = Event("account.created", "An account was made.", {})


def publish(shop: Any, *keys: str, event: Event = created) -> None:
    with transaction():
        for key in keys:
            event.publish(key, {"title": key})
    outbox.relay(shop.databases.shop)


def note_down(heard: list[Any]) -> Callable[[Any], None]:
    def hear(given: Any) -> None:
        heard.append(given)

    return hear


@pytest.fixture
def batches() -> list[list[str]]:
    """The keys of the batches that the subscription of the test was given."""
    return []


@pytest.fixture
def batched(notes_shop: Any, batches: list[list[str]]) -> Subscription:
    """A subscription to all notes in batches of four, placed at the end of the log."""

    def hear(events: list[Occurrence]) -> None:
        batches.append([event.key for event in events])

    made = Subscription("note.*", hear, 4)
    outbox.relay(notes_shop.databases.shop)
    assert feed(notes_shop.current, made) == 0
    return made


# Patterns and batches.


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("*", ["a", "b", "c"]),
        ("note.*", ["a", "c"]),
        ("note.created", ["a", "c"]),
        ("account.*", ["b"]),
        ("Note.*", []),
        ("n_te.*", []),
        ("note.create_", []),
    ],
)
def test_a_pattern_finds_what_begins_so_and_nothing_else(
    notes_shop: Any, pattern: str, heard: list[str]
) -> None:
    outbox.relay(notes_shop.databases.shop)
    start = newest_offset()
    publish(notes_shop, "a")
    publish(notes_shop, "b", event=registered)
    publish(notes_shop, "c")
    assert [event.key for event in read_log(start, names=[pattern])] == heard
    matches = Subscription(pattern, print).matches
    assert any(map(matches, ("note.created", "account.created"))) == bool(heard)


def test_a_batch_holds_the_next_events_in_order_up_to_its_size(
    notes_shop: Any, batched: Subscription, batches: list[list[str]]
) -> None:
    publish(notes_shop, *"abcdef")
    publish(notes_shop, "x", event=registered)
    assert feed(notes_shop.current, batched) == 4
    assert feed(notes_shop.current, batched) == 2
    assert feed(notes_shop.current, batched) == 0
    assert batches == [["a", "b", "c", "d"], ["e", "f"]]


def test_ten_thousand_events_in_batches_take_few_statements(notes_shop: Any) -> None:
    heard: list[int] = []

    def hear(events: list[Occurrence]) -> None:
        heard.extend(event.offset for event in events)

    subscription = Subscription("*", hear, 500)
    database = notes_shop.databases.shop
    outbox.relay(database)
    feed(notes_shop.current, subscription)
    start = outbox.last_offset(database)
    with transaction():
        for number in range(10_000):
            created.publish(str(number), {"title": "x"})
    outbox.relay(database)
    outbox.relay(database)
    with query_counter() as queries:
        while feed(notes_shop.current, subscription):
            pass
    assert heard == list(range(start + 1, start + 10_001))
    assert len(queries) <= 5 * 20 + 5


def test_a_handler_that_fails_behind_its_writes_leaves_none_and_repeats_none(
    notes_shop: Any, site: Any
) -> None:
    note = site.module("notes", "models").Note
    attempts: list[int] = []

    def copy(events: list[Occurrence]) -> None:
        attempts.append(len(events))
        for event in events:
            note.create(title=f"copy of {event.key}")
        if len(attempts) in (2, 3):
            raise OSError("killed between handler and commit")

    subscription = Subscription("note.created", copy, 4)
    outbox.relay(notes_shop.databases.shop)
    feed(notes_shop.current, subscription)
    publish(notes_shop, *"abcdefghij")
    for _ in range(8):
        feeding.guarded_turn(notes_shop.current, subscription)
    copies = note.select().where(note.title.startswith("copy")).order_by(note.title)
    assert [row.title[-1] for row in copies] == list("abcdefghij")
    # After failures it is tried with fewer, then with as many as before.
    assert attempts == [4, 4, 2, 1, 4, 1]


@pytest.mark.parametrize("batch", [None, 3])
def test_a_feeder_that_is_cut_off_between_handler_and_commit_repeats_nothing_written(
    notes_shop: Any, site: Any, monkeypatch: pytest.MonkeyPatch, batch: int | None
) -> None:
    note, attempts = site.module("notes", "models").Note, []

    def copy(given: Any) -> None:
        for event in given if batch else [given]:
            attempts.append(event.key)
            note.create(title=f"copy of {event.key}")

    subscription = Subscription("note.created", copy, batch)
    outbox.relay(notes_shop.databases.shop)
    feed(notes_shop.current, subscription)
    publish(notes_shop, *"abcdef")
    moved, cuts = feeding._moved, [4]

    def cut_off(name: str, place: int) -> None:
        moved(name, place)
        if cuts and len(attempts) >= cuts[0]:
            cuts.pop()
            raise KeyboardInterrupt

    monkeypatch.setattr(feeding, "_moved", cut_off)
    cut = 0
    while cut == 0 or feed(notes_shop.current, subscription):
        try:
            feed(notes_shop.current, subscription)
        except KeyboardInterrupt:
            cut += 1
    assert len(attempts) > 6
    copies = note.select().where(note.title.startswith("copy")).order_by(note.title)
    assert [row.title[-1] for row in copies] == list("abcdef")


def test_a_batch_gets_through_up_to_the_event_that_cannot_be_dealt_with(notes_shop: Any) -> None:
    heard: list[str] = []

    def hear(events: list[Occurrence]) -> None:
        if any(event.key == "d" for event in events):
            raise ValueError("not this one")
        heard.extend(event.key for event in events)

    subscription = Subscription("note.*", hear, 100)
    outbox.relay(notes_shop.databases.shop)
    feed(notes_shop.current, subscription)
    publish(notes_shop, *"abcdef")
    for _ in range(20):
        feeding.guarded_turn(notes_shop.current, subscription)
    assert heard == ["a", "b", "c"]
    row = SubscriptionRow.get_by_id(subscription.name)
    assert row.error == "ValueError: not this one"


def test_several_workers_share_batches_and_repeat_none(
    notes_shop: Any, batched: Subscription, batches: list[list[str]], threads: Any
) -> None:
    keys = [f"{number:03}" for number in range(120)]
    publish(notes_shop, *keys)
    barrier = threading.Barrier(3)

    def feed_for_a_while() -> None:
        barrier.wait(10)
        for _ in range(60):
            feed(notes_shop.current, batched)

    threads.run(*[feed_for_a_while] * 3)
    while feed(notes_shop.current, batched):
        pass
    assert [key for batch in batches for key in batch] == keys


def test_a_size_that_makes_no_sense_is_refused() -> None:
    for size in (0, -1, 10_001):
        with pytest.raises(ValueError, match="size must be between 1 and 10000"):
            Subscriptions().on_batch("*", print, size=size)


# Failing.


def failing(shop: Any) -> tuple[Subscription, list[str]]:
    heard: list[str] = []

    def fail(event: Occurrence) -> None:
        heard.append(event.key)
        raise RuntimeError("always, and with a \0 in it")

    made = Subscription("note.created", fail)
    outbox.relay(shop.databases.shop)
    feed(shop.current, made)
    return made, heard


def test_a_subscription_that_keeps_failing_waits_longer_and_longer(notes_shop: Any) -> None:
    subscription, _ = failing(notes_shop)
    publish(notes_shop, "a")
    waits = []
    for _ in range(11):
        before = now()
        feeding.guarded_turn(notes_shop.current, subscription)
        row = SubscriptionRow.get_by_id(subscription.name)
        waits.append(round((row.retry_at - before).total_seconds()))
        assert feeding.waits(row)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert row.failures == 11
    assert row.error == "RuntimeError: always, and with a \ufffd in it"


def test_who_waits_has_no_turn_and_goes_on_when_its_time_has_come(
    notes_shop: Any, site: Any, rebind: Any
) -> None:
    site.write("once", FAILS_ONCE, fields=NOTES)
    lifecycle.enable(notes_shop, "once")
    rebind()
    heard = site.module("once", "plugin").heard
    publish(notes_shop, "a", "b")
    for _ in range(3):
        feed_all(notes_shop.current)
    assert heard == ["a"]
    SubscriptionRow.update(retry_at=now() - timedelta(seconds=1)).execute()
    feed_all(notes_shop.current)
    assert heard == ["a", "a", "b"]
    (row,) = (row for row in SubscriptionRow.select() if "once" in row.name)
    assert (row.failures, row.retry_at, row.error) == (0, None, None)


NOTES = 'depends=("notes",), uses={"events": ("note.*",)}'
FAILS_ONCE = """
from bodega_sdk import hookimpl

heard = []


def hear(event):
    heard.append(event.key)
    if len(heard) == 1:
        raise SystemExit(3)


@hookimpl
def register_subscriptions(events):
    events.on("note.*", hear)
"""


# Capabilities and declarations.


def reader(pattern: str, how: str = "on") -> str:
    return (
        "from bodega_sdk import hookimpl, read_log\n"
        "def hear(given): pass\n"
        "def read(*names): return read_log(0, names=names)\n"
        "@hookimpl\n"
        f"def register_subscriptions(events): events.{how}({pattern!r}, hear)\n"
    )


@pytest.mark.parametrize("how", ["on", "on_batch"])
@pytest.mark.parametrize(
    ("pattern", "uses", "objection"),
    [
        ("note.*", ("note.created",), r"its manifest does not name the event 'note\.\*'"),
        ("*", ("note.*",), r"its manifest does not name the event '\*'"),
        ("note.created", (), "its manifest does not name the event 'note.created'"),
        ("note*", ("*",), r"subscription to 'note\*': expected a name such as"),
        ("*.created", ("*",), r"expected a name such as 'order.paid', 'order.\*' or '\*'"),
    ],
)
def test_a_pattern_must_be_covered_by_the_manifest_and_be_one(
    notes_shop: Any, site: Any, how: str, pattern: str, uses: Any, objection: str
) -> None:
    site.write("reader", reader(pattern, how), fields=f"uses={{'events': {uses!r}}}")
    with pytest.raises(AddonError, match=objection):
        lifecycle.enable(notes_shop, "reader")


def test_patterns_that_are_covered_are_taken(notes_shop: Any, site: Any, rebind: Any) -> None:
    for name, pattern, uses in (("one", "note.*", "note.*"), ("two", "note.*", "*")):
        site.write(name, reader(pattern), fields=f"uses={{'events': ({uses!r},)}}")
        lifecycle.enable(notes_shop, name)
    rebind()
    found = [item.event for item in notes_shop.assembly.subscriptions]
    assert found == ["note.*", "note.*"]


def test_an_addon_reads_of_the_log_what_its_manifest_names(
    notes_shop: Any, site: Any, rebind: Any
) -> None:
    publish(notes_shop, "a")
    site.write("reader", reader("note.*"), fields=NOTES)
    lifecycle.enable(notes_shop, "reader")
    rebind()
    read = site.module("reader", "plugin").read
    assert "a" in [event.key for event in read("note.created")]
    assert "a" in [event.key for event in read("note.*")]
    for names in ((), ("*",), ("account.created",), ("note.created", "account.*")):
        with pytest.raises(CapabilityError, match="does not name the event"):
            read(*names)


# The log.


def test_the_log_is_read_between_offsets_by_name_and_up_to_a_limit(notes_shop: Any) -> None:
    outbox.relay(notes_shop.databases.shop)
    start = newest_offset()
    publish(notes_shop, "a", "b")
    publish(notes_shop, "x", event=registered)
    publish(notes_shop, "c")
    assert newest_offset() == start + 4
    assert [event.key for event in read_log(start)] == ["a", "b", "x", "c"]
    assert [event.key for event in read_log(start, 2)] == ["a", "b"]
    assert [event.key for event in read_log(start, until=start + 3)] == ["a", "b", "x"]
    names = ["note.*", "account.created"]
    assert [event.key for event in read_log(start + 1, names=names)] == ["b", "x", "c"]
    assert read_log(start + 4) == []


def test_the_types_are_those_of_the_enabled_addons(notes_shop: Any, rebind: Any) -> None:
    names = [event.name for event in event_types()]
    assert names == sorted(names)
    assert {"note.created", "account.created"} <= set(names)
    lifecycle.disable(notes_shop, "notes")
    rebind()
    assert "note.created" not in [event.name for event in event_types()]


# The feeder.


@pytest.fixture
def fed_shop(notes_shop: Any, site: Any, rebind: Any) -> Iterator[Any]:
    """A shop with addons that read notes, whose relay and feeder run."""
    site.write("slow", SLOW, fields=NOTES)
    site.write("bad", BAD, fields=NOTES)
    site.write("quick", QUICK, fields=NOTES)
    for name in ("slow", "bad", "quick"):
        lifecycle.enable(notes_shop, name)
    rebind()
    feeder = Feeder(notes_shop)
    relay = Relay(notes_shop, news=feeder.wake)
    for part in (feeder, relay):
        part.start()
    yield notes_shop
    for part in (relay, feeder):
        part.stop()


QUICK = """
import time
from bodega_sdk import hookimpl

heard, turns = [], 0


def hear(batch):
    global turns
    turns += 1
    heard.extend((event.key, time.monotonic()) for event in batch)


@hookimpl
def register_subscriptions(events):
    events.on_batch("note.*", hear)
"""
SLOW = """
import threading
from bodega_sdk import hookimpl

gate, heard = threading.Event(), []


def hear(event):
    if event.key.startswith("slow"):
        gate.wait(20)
    heard.append(event.key)


@hookimpl
def register_subscriptions(events):
    events.on("note.created", hear)
"""
BAD = """
from bodega_sdk import hookimpl

tries = []


def hear(event):
    tries.append(event.key)
    raise RuntimeError("always")


@hookimpl
def register_subscriptions(events):
    events.on("note.created", hear)
"""


def wait_until(true: Callable[[], bool], timeout: float = 15) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def commit(key: str) -> float:
    """Publish; the relay numbers. Return when it was committed."""
    with transaction():
        created.publish(key, {"title": key})
    return time.monotonic()


def test_what_happens_is_told_long_before_the_second_is_over(fed_shop: Any, site: Any) -> None:
    quick, waited = site.module("quick", "plugin"), []
    site.module("slow", "plugin").gate.set()
    commit("first")
    wait_until(lambda: len(quick.heard) == 1)
    for number in range(8):
        at = commit(f"key {number}")
        wait_until(lambda wanted=number + 2: len(quick.heard) == wanted)  # type: ignore[misc]
        waited.append(quick.heard[-1][1] - at)
    # The relay looks every 50 ms; the machine may be busy, but not every time.
    assert sorted(waited)[2] < 0.25, waited


def test_where_events_come_all_the_time_a_turn_is_for_several(fed_shop: Any, site: Any) -> None:
    quick = site.module("quick", "plugin")
    site.module("slow", "plugin").gate.set()
    began = time.monotonic()
    for number in range(60):
        commit(str(number))
        time.sleep(0.01)
    wait_until(lambda: len(quick.heard) == 60)
    most = (time.monotonic() - began) / 0.1 + 2
    assert 1 < quick.turns <= most, (quick.turns, most)


def test_whoever_is_far_behind_has_turn_after_turn(
    fed_shop: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = site.module("slow", "plugin")
    slow.gate.set()
    # Nobody looks a second time in this test.
    monkeypatch.setattr("bodega.jobs.feeder._PAUSE", 60.0)
    keys = [str(number) for number in range(450)]
    with transaction():
        created.publish_many([(key, {"title": key}) for key in keys])
    wait_until(lambda: len(slow.heard) == 450, 30)
    assert slow.heard == keys


def test_one_that_fails_is_tried_again_later_and_harms_no_other(fed_shop: Any, site: Any) -> None:
    quick, bad = site.module("quick", "plugin"), site.module("bad", "plugin")
    site.module("slow", "plugin").gate.set()
    commit("a")
    wait_until(lambda: len(bad.tries) >= 1)
    for number in range(10):
        commit(str(number))
    wait_until(lambda: len(quick.heard) == 11)
    assert len(bad.tries) <= 3
    assert set(bad.tries) == {"a"}
    wait_until(lambda: len(bad.tries) >= 2)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_slow_one_keeps_no_other_waiting(fed_shop: Any, site: Any) -> None:
    quick, slow = site.module("quick", "plugin"), site.module("slow", "plugin")
    commit("slow")
    for number in range(5):
        commit(str(number))
    wait_until(lambda: len(quick.heard) == 6)
    assert slow.heard == []
    slow.gate.set()
    wait_until(lambda: slow.heard == ["slow", "0", "1", "2", "3", "4"])


def test_places_move_on_over_what_is_for_nobody(fed_shop: Any, site: Any) -> None:
    site.module("slow", "plugin").gate.set()
    with transaction():
        for _ in range(5):
            registered.publish("someone", {})
    database = fed_shop.databases.shop

    def caught_up() -> bool:
        if is_postgres(database) and EventRow.select().where(EventRow.offset.is_null()).exists():
            return False
        newest = outbox.last_offset(database)
        return all(row.offset == newest for row in SubscriptionRow.select())

    wait_until(caught_up)


def test_one_that_is_put_back_is_fed_again_at_once(fed_shop: Any, site: Any) -> None:
    quick = site.module("quick", "plugin")
    site.module("slow", "plugin").gate.set()
    commit("a")
    wait_until(lambda: len(quick.heard) == 1)
    (name,) = (row.name for row in SubscriptionRow.select() if "quick" in row.name)
    # It has heard a moment before its place is committed; an older place has another note behind.
    newest = outbox.last_offset(fed_shop.databases.shop)
    wait_until(lambda: SubscriptionRow.get_by_id(name).offset == newest)
    SubscriptionRow.update(offset=newest - 1).where(SubscriptionRow.name == name).execute()
    wait_until(lambda: [key for key, _ in quick.heard] == ["a", "a"])


def test_an_addon_that_is_disabled_is_not_fed_and_goes_on_when_it_is_enabled(
    fed_shop: Any, site: Any, rebind: Any
) -> None:
    quick = site.module("quick", "plugin")
    site.module("slow", "plugin").gate.set()
    lifecycle.disable(fed_shop, "quick")
    rebind()
    commit("while away")
    wait_until(lambda: site.module("slow", "plugin").heard == ["while away"])
    assert quick.heard == []
    lifecycle.enable(fed_shop, "quick")
    rebind()
    wait_until(lambda: [key for key, _ in quick.heard] == ["while away"])


def test_what_a_handler_does_is_done_by_its_subscription(notes_shop: Any) -> None:
    from bodega.security.callers import caller

    actors: list[str] = []

    def hear(event: Occurrence) -> None:
        actors.append(caller().actor)

    subscription = Subscription("note.created", hear)
    outbox.relay(notes_shop.databases.shop)
    with bound(notes_shop.current):
        feeding.guarded_turn(notes_shop.current, subscription)
        publish(notes_shop, "a")
        feeding.guarded_turn(notes_shop.current, subscription)
    assert actors == ["subscription:note.created"]
