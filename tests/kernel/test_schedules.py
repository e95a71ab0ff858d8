"""The sweeper: schedules once for each time that has come, and jobs of the dead given back."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bodega.database.tables import JobRow, ScheduleRow
from bodega.jobs import leases
from bodega.jobs.sweeper import Sweeper, enqueue_when_due
from bodega_sdk import now

HOUR = timedelta(hours=1)


@pytest.fixture
def forget_empty(notes_shop: Any) -> Any:
    """A job that is scheduled each hour, not yet seen by any sweeper."""
    ScheduleRow.delete().execute()
    return notes_shop.assembly.jobs["notes.forget_empty"]


def enqueued() -> int:
    return int(JobRow.select().where(JobRow.name == "notes.forget_empty").count())


def test_a_schedule_waits_for_its_first_time(notes_shop: Any, forget_empty: Any) -> None:
    start = now()
    assert not enqueue_when_due(notes_shop, forget_empty, start)
    assert not enqueue_when_due(notes_shop, forget_empty, start + HOUR / 2)
    assert enqueued() == 0
    assert enqueue_when_due(notes_shop, forget_empty, start + HOUR)
    assert enqueued() == 1


def test_a_schedule_is_enqueued_once_for_each_time(notes_shop: Any, forget_empty: Any) -> None:
    start = now()
    enqueue_when_due(notes_shop, forget_empty, start)
    for minutes in range(0, 181, 10):
        enqueue_when_due(notes_shop, forget_empty, start + timedelta(minutes=minutes))
    assert enqueued() == 3


def test_times_that_were_missed_are_made_up_for_by_one(notes_shop: Any, forget_empty: Any) -> None:
    start = now()
    enqueue_when_due(notes_shop, forget_empty, start)
    assert enqueue_when_due(notes_shop, forget_empty, start + 10 * HOUR)
    assert not enqueue_when_due(notes_shop, forget_empty, start + 10 * HOUR)
    assert not enqueue_when_due(notes_shop, forget_empty, start + 10.5 * HOUR)
    assert enqueued() == 1


def test_two_sweepers_at_once_enqueue_a_schedule_once(
    notes_shop: Any, forget_empty: Any, threads: Any
) -> None:
    start = now()
    enqueue_when_due(notes_shop, forget_empty, start)
    for hour in range(1, 6):
        due, barrier = start + hour * HOUR, threading.Barrier(3)

        def sweep(due: Any = due, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait(10)
            return enqueue_when_due(notes_shop, forget_empty, due)

        assert sorted(threads.run(*[sweep] * 3)) == [False, False, True]
    assert enqueued() == 5


def test_a_sweep_enqueues_what_is_due(notes_shop: Any, forget_empty: Any) -> None:
    Sweeper(notes_shop).sweep()
    assert enqueued() == 0
    ScheduleRow.update(due=now() - timedelta(seconds=1)).execute()
    Sweeper(notes_shop).sweep()
    Sweeper(notes_shop).sweep()
    assert enqueued() == 1


def test_a_sweep_gives_back_what_a_dead_worker_held_and_wakes_its_lane(
    notes_shop: Any, worker_of: Callable[[Any], int]
) -> None:
    names = list(notes_shop.assembly.jobs)
    database = notes_shop.databases.shop
    row = leases.claim(database, "default", names, "dead", timedelta(seconds=60))
    assert row is not None
    JobRow.update(lease_until=now() - timedelta(seconds=1)).execute()
    waiting = notes_shop.queue.length()
    Sweeper(notes_shop).sweep()
    assert JobRow.get_by_id(row.id).status == "queued"
    assert notes_shop.queue.length() > waiting
    assert worker_of(notes_shop) == 1


def test_the_sweepers_thread_sweeps_until_it_is_stopped(notes_shop: Any, forget_empty: Any) -> None:
    ScheduleRow.create(name="notes.forget_empty", due=now() - timedelta(seconds=1))
    sweeper = Sweeper(notes_shop, interval=0.01)
    sweeper.start()
    for _ in range(500):
        if enqueued():
            break
        threading.Event().wait(0.01)
    sweeper.stop()
    assert enqueued() == 1
