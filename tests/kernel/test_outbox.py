"""The outbox: a dense log in an order that no reader ever sees change."""

import threading
from typing import Any

import pytest

from bodega.database import outbox
from bodega.database.connection import is_postgres
from bodega.database.tables import EventRow
from bodega.errors import OperatorError
from bodega.jobs.relay import Relay
from bodega_sdk import Event
from bodega_sdk.testing.queries import query_counter

created = Event("note.created", "A note was written.", {"title": "its title"})


@pytest.fixture
def database(notes_shop: Any) -> Any:
    outbox.relay(notes_shop.databases.shop)
    return notes_shop.databases.shop


@pytest.fixture
def start(database: Any) -> int:
    """The offset of the newest event before the test."""
    return outbox.last_offset(database)


def keys(database: Any, after: int) -> list[str]:
    return [event.key for event in outbox.read(database, after)]


def offsets(database: Any, after: int) -> list[int]:
    return [event.offset for event in outbox.read(database, after)]


def publish(shop: Any, *names: str) -> None:
    with shop.transaction():
        for name in names:
            created.publish(name, {"title": name})


def test_an_event_is_read_with_all_that_was_published(
    notes_shop: Any, database: Any, start: int
) -> None:
    with notes_shop.transaction():
        created.publish("k", {"title": "Ünï", "numbers": [1, 2.5, None], "deep": {"a": True}})
    outbox.relay(database)
    (event,) = outbox.read(database, start)
    assert (event.offset, event.name, event.version, event.key) == (
        start + 1, "note.created", 1, "k",
    )  # fmt: skip
    assert event.data == {"title": "Ünï", "numbers": [1, 2.5, None], "deep": {"a": True}}
    assert event.occurred_at.tzinfo is not None


def test_several_are_published_by_one_statement_in_their_order(
    notes_shop: Any, database: Any, start: int
) -> None:
    told = [(key, {"title": f"{key} „Ü\\, {{}}", "deep": [None]}) for key in "bacdbae"]
    with notes_shop.transaction(), query_counter() as counted:
        created.publish_many(told)
        created.publish_many([])
    if is_postgres(database):
        assert len(counted) == 1
    publish(notes_shop, "z")
    outbox.relay(database)
    assert keys(database, start) == [*"bacdbae", "z"]
    assert offsets(database, start) == list(range(start + 1, start + 9))
    found = [(event.key, event.data) for event in outbox.read(database, start)]
    assert found[:-1] == told


def test_an_event_that_no_addon_declares_is_refused(notes_shop: Any) -> None:
    with pytest.raises(OperatorError, match=r"'note.burnt' is not declared.*register_events"):
        Event("note.burnt", "Nobody said so.", {}).publish("k", {})
    with pytest.raises(OperatorError, match=r"'note.burnt' is not declared.*register_events"):
        Event("note.burnt", "Nobody said so.", {}).publish_many([("k", {})])


def test_offsets_are_dense_and_in_the_order_of_publishing(
    notes_shop: Any, database: Any, start: int
) -> None:
    publish(notes_shop, "a", "b", "c")
    publish(notes_shop, "d")
    outbox.relay(database)
    assert keys(database, start) == ["a", "b", "c", "d"]
    assert offsets(database, start) == [start + 1, start + 2, start + 3, start + 4]
    assert outbox.last_offset(database) == start + 4


def test_events_that_were_rolled_back_leave_no_gap(
    notes_shop: Any, database: Any, start: int, undone: Any
) -> None:
    publish(notes_shop, "before")
    with undone(notes_shop.transaction()):
        created.publish("lost", {})
    publish(notes_shop, "after")
    outbox.relay(database)
    assert keys(database, start) == ["before", "after"]
    assert offsets(database, start) == [start + 1, start + 2]


def test_events_of_a_savepoint_that_was_rolled_back_leave_no_gap(
    notes_shop: Any, database: Any, start: int, undone: Any
) -> None:
    with notes_shop.transaction():
        created.publish("outer", {})
        with undone(notes_shop.transaction()):
            created.publish("inner", {})
        created.publish("outer again", {})
    outbox.relay(database)
    assert keys(database, start) == ["outer", "outer again"]
    assert offsets(database, start) == [start + 1, start + 2]


def test_nobody_sees_an_event_before_its_transaction_is_committed(
    notes_shop: Any, database: Any, start: int, threads: Any
) -> None:
    with notes_shop.transaction():
        created.publish("k", {})
        if is_postgres(database):
            threads.run(lambda: outbox.relay(database))
        assert threads.run(lambda: keys(database, start)) == [[]]
    outbox.relay(database)
    assert keys(database, start) == ["k"]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_transaction_that_commits_late_is_not_skipped_though_its_ids_are_lower(
    notes_shop: Any, database: Any, start: int, threads: Any
) -> None:
    written, committed = threading.Event(), threading.Event()

    def slow() -> None:
        with notes_shop.transaction():
            created.publish("early id, late commit", {})
            written.set()
            assert committed.wait(10)

    running = threads.start(slow)
    assert written.wait(10)
    publish(notes_shop, "late id, early commit")
    outbox.relay(database)
    first_look = list(outbox.read(database, start))
    assert [event.key for event in first_look] == ["late id, early commit"]
    committed.set()
    running.result()
    outbox.relay(database)
    # Whoever read on behind what it saw finds the late one; nothing moved.
    assert keys(database, first_look[-1].offset) == ["early id, late commit"]
    assert keys(database, start) == ["late id, early commit", "early id, late commit"]
    assert offsets(database, start) == [start + 1, start + 2]
    by_id = [row.key for row in EventRow.select().order_by(EventRow.id)]
    assert by_id[-2:] == ["early id, late commit", "late id, early commit"]


def test_writers_and_relays_at_once_give_one_dense_order_that_keeps_each_key_in_order(
    notes_shop: Any, database: Any, start: int, threads: Any
) -> None:
    writers, each, done = 4, 15, threading.Event()

    def write(key: str) -> None:
        for number in range(each):
            with notes_shop.transaction():
                created.publish(key, {"title": str(number)})

    def number_them() -> int:
        count = 0
        while not done.is_set():
            count += outbox.relay(database, limit=3)
        return count

    relays = [threads.start(number_them) for _ in range(2)]
    threads.run(*[lambda key=f"key {number}": write(key) for number in range(writers)])
    done.set()
    numbered = sum(relay.result() for relay in relays)
    while found := outbox.relay(database):
        numbered += found
    events = list(outbox.read(database, start))
    assert [event.offset for event in events] == list(range(start + 1, start + 61))
    for key in {event.key for event in events}:
        order = [event.data["title"] for event in events if event.key == key]
        assert order == [str(number) for number in range(each)]
    assert numbered == (len(events) if is_postgres(database) else 0)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_of_two_relays_at_once_one_numbers_and_the_other_goes_on(
    notes_shop: Any, database: Any, start: int, threads: Any
) -> None:
    publish(notes_shop, "a", "b")
    with database.atomic():
        assert outbox.relay(database, limit=1) == 1
        assert threads.run(lambda: outbox.relay(database)) == [0]
    assert threads.run(lambda: outbox.relay(database)) == [1]
    assert offsets(database, start) == [start + 1, start + 2]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_relay_that_dies_in_the_middle_leaves_the_numbers_to_the_next(
    notes_shop: Any, database: Any, start: int, undone: Any
) -> None:
    publish(notes_shop, "a", "b")
    with undone(database.atomic()):
        assert outbox.relay(database) == 2
    assert keys(database, start) == []
    assert outbox.relay(database) == 2
    assert offsets(database, start) == [start + 1, start + 2]


def test_a_reader_can_ask_for_names_keys_and_a_limit(
    notes_shop: Any, database: Any, start: int
) -> None:
    publish(notes_shop, "a", "b", "a")
    outbox.relay(database)
    found = [event.offset - start for event in outbox.read(database, start, key="a")]
    assert found == [1, 3]
    assert len(list(outbox.read(database, start, limit=2))) == 2
    assert list(outbox.read(database, start, names=["account.created"])) == []
    assert len(list(outbox.read(database, start, names=["note.created", "x"]))) == 3


def test_the_workers_relay_numbers_without_being_asked(
    notes_shop: Any, database: Any, start: int
) -> None:
    relay = Relay(notes_shop, interval=0.01)
    relay.start()
    try:
        publish(notes_shop, "a")
        for _ in range(500):
            if keys(database, start):
                break
            threading.Event().wait(0.01)
    finally:
        relay.stop()
    assert keys(database, start) == ["a"]
