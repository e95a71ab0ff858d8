"""Leases: whoever lost one writes nothing, and whoever took over is not disturbed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from bodega.database.tables import JobRow
from bodega.jobs import leases
from bodega.jobs.runner import Run, Runner
from bodega_sdk import now
from bodega_sdk.errors import LeaseLost

LEASE = timedelta(seconds=60)


@pytest.fixture
def note(notes_shop: Any, site: Any) -> Any:
    """The model of notes."""
    return site.module("notes", "models").Note


@pytest.fixture
def job(notes_shop: Any) -> Any:
    """The one job of the shop, queued."""
    return JobRow.get(JobRow.name == "notes.count_words")


def claim(shop: Any, worker: str, lease: timedelta = LEASE) -> Any:
    names = list(shop.assembly.jobs)
    return leases.claim(shop.databases.shop, "default", names, worker, lease)


def let_expire(row: Any) -> None:
    """Have the lease of a job run out, as if its worker had been paused."""
    past = now() - timedelta(seconds=1)
    assert JobRow.update(lease_until=past).where(JobRow.id == row.id).execute() == 1


def current(row: Any) -> Any:
    return JobRow.get_by_id(row.id)


def test_a_claimed_job_is_not_claimed_again(notes_shop: Any, job: Any) -> None:
    row = claim(notes_shop, "first")
    assert (row.id, row.status, row.worker, row.attempts, row.fence) == (
        job.id, "running", "first", 1, 1,
    )  # fmt: skip
    assert claim(notes_shop, "second") is None
    assert leases.give_back_expired() == 0


def test_of_workers_that_claim_at_once_one_gets_the_job(
    notes_shop: Any, job: Any, threads: Any
) -> None:
    claims = threads.run(*[lambda: claim(notes_shop, "w")] * 4)
    assert sum(row is not None for row in claims) == 1


def test_an_expired_lease_is_given_back_and_the_next_claim_has_a_higher_fence(
    notes_shop: Any, job: Any
) -> None:
    first = claim(notes_shop, "first")
    let_expire(first)
    assert leases.give_back_expired() == 1
    assert (current(job).status, current(job).worker) == ("queued", None)
    second = claim(notes_shop, "second")
    assert (second.fence, second.attempts) == (first.fence + 1, 2)


def test_a_job_that_killed_its_workers_too_often_is_dead(notes_shop: Any, job: Any) -> None:
    JobRow.update(max_attempts=2).execute()
    for _ in range(2):
        let_expire(claim(notes_shop, "w"))
        leases.give_back_expired()
    assert current(job).status == "dead"
    assert "died or was paused" in current(job).error
    assert claim(notes_shop, "w") is None


def test_a_lease_is_renewed_while_it_lasts_and_not_afterwards(notes_shop: Any, job: Any) -> None:
    row = claim(notes_shop, "w", timedelta(seconds=5))
    assert leases.renew(row, LEASE)
    assert current(row).lease_until > now() + timedelta(seconds=30)
    let_expire(row)
    assert not leases.renew(row, LEASE)
    assert current(row).lease_until < now()


def test_a_run_whose_lease_expired_writes_nothing_though_nobody_took_over(
    notes_shop: Any, job: Any, note: Any
) -> None:
    row = claim(notes_shop, "paused")
    run = Run(row, notes_shop, LEASE)
    let_expire(row)
    with pytest.raises(LeaseLost, match="this run stops"), run.transaction():
        note.create(title="from beyond")
    assert not note.select().where(note.title == "from beyond").exists()
    with pytest.raises(LeaseLost):
        run.save({"row": 1}, done=1)
    assert (current(row).checkpoint, current(row).done) == ({}, 0)
    assert not leases.update_owned(row, status="succeeded")
    assert current(row).status == "running"


def test_a_lease_that_runs_out_inside_the_transaction_rolls_it_back(
    notes_shop: Any, job: Any, note: Any
) -> None:
    row = claim(notes_shop, "slow", timedelta(seconds=0.05))
    run = Run(row, notes_shop, LEASE)

    def write_slowly() -> None:
        with run.transaction():
            note.create(title="too late")
            time.sleep(0.1)

    with pytest.raises(LeaseLost):
        write_slowly()
    assert not note.select().where(note.title == "too late").exists()


def test_a_run_that_was_taken_over_writes_nothing_and_the_new_one_does(
    notes_shop: Any, job: Any, note: Any
) -> None:
    old = Run(claim(notes_shop, "first"), notes_shop, LEASE)
    let_expire(job)
    leases.give_back_expired()
    new = Run(claim(notes_shop, "second"), notes_shop, LEASE)
    with pytest.raises(LeaseLost), old.transaction():
        note.create(title="old")
    with new.transaction():
        note.create(title="new")
        new.save({"row": 7}, done=7)
    with pytest.raises(LeaseLost):
        old.save({"row": 1})
    assert [row.title for row in note.select().where(note.title.in_(["old", "new"]))] == ["new"]
    assert current(job).checkpoint == {"row": 7}
    assert current(job).worker == "second"


def test_a_transaction_that_is_taken_over_while_it_is_open_is_rolled_back(
    notes_shop: Any, job: Any, note: Any, threads: Any
) -> None:
    row = claim(notes_shop, "first")
    run = Run(row, notes_shop, LEASE)

    def take_over() -> Any:
        let_expire(row)
        leases.give_back_expired()
        return claim(notes_shop, "second")

    def write() -> None:
        with run.transaction():
            note.create(title="old")
            if notes_shop.databases.shop.for_update:
                assert threads.run(take_over) != [None]

    if not notes_shop.databases.shop.for_update:
        # SQLite's one writer keeps others out until it is done; they come before or after.
        threads.run(take_over)
    with pytest.raises(LeaseLost):
        write()
    assert not note.select().where(note.title == "old").exists()
    assert current(row).worker == "second"


def test_every_transaction_of_a_run_renews_its_lease(notes_shop: Any, job: Any) -> None:
    row = claim(notes_shop, "w", timedelta(seconds=5))
    with Run(row, notes_shop, LEASE).transaction():
        pass
    assert current(row).lease_until > now() + timedelta(seconds=30)


@contextmanager
def counting_slowly(writing: Any, act: Callable[[Any], None]) -> Iterator[None]:
    """Have the shop's job do something else."""
    kept = writing.count_words.handler
    object.__setattr__(writing.count_words, "handler", lambda run, **_: act(run))
    try:
        yield
    finally:
        object.__setattr__(writing.count_words, "handler", kept)


def test_a_long_run_keeps_its_lease_by_renewing_it(notes_shop: Any, job: Any, site: Any) -> None:
    given_back: list[int] = []

    def take_its_time(run: Any) -> None:
        for _ in range(5):
            time.sleep(0.2)
            given_back.append(leases.give_back_expired())

    with counting_slowly(site.module("notes", "writing"), take_its_time):
        runner = Runner(notes_shop, "w", threads=1)
        runner._lease = timedelta(seconds=0.6)
        assert runner.run_next("default")
    assert given_back == [0] * 5
    assert current(job).status == "succeeded"


def test_a_worker_that_wakes_up_after_it_was_taken_over_does_not_end_the_job(
    notes_shop: Any, job: Any, site: Any, threads: Any
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    first_time = iter([True])

    def wait(run: Any) -> None:
        if next(first_time, False):
            begun.set()
            assert go_on.wait(10)
            raise OSError("woke up in another time")

    with counting_slowly(site.module("notes", "writing"), wait):
        runner = Runner(notes_shop, "first", threads=1)
        running = threads.start(lambda: runner.run_next("default"))
        assert begun.wait(10)
        let_expire(job)
        leases.give_back_expired()
        assert Runner(notes_shop, "second", threads=1).run_next("default")
        assert (current(job).status, current(job).worker) == ("succeeded", "second")
        go_on.set()
        assert running.result()
    assert (current(job).status, current(job).worker) == ("succeeded", "second")
    assert current(job).error is None
