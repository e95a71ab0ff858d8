"""Jobs: claimed once, run to an end, tried again when they fail, and never half done."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import JobRow
from bodega.errors import OperatorError
from bodega.jobs import leases
from bodega_sdk import JobRun, job, job_state, now, transaction
from bodega_sdk.errors import PermanentFailure

PLUGIN = """
from datetime import timedelta

from bodega_sdk import Event, hookimpl, job
from bodega_sdk.errors import PermanentFailure

ran = []
behaviour = {}


@job("chores.sweep", max_attempts=3)
def sweep(run, **payload):
    ran.append((run.attempt, payload))
    behaviour.get("sweep", lambda run: None)(run)


@job("chores.post", lane="mail")
def post(run):
    ran.append(("post", {}))


@job("chores.haul", lane="bulk")
def haul(run):
    ran.append(("haul", {}))


@hookimpl
def register_jobs():
    return [sweep, post, haul]


@hookimpl
def register_events():
    return [Event("chore.done", "A chore was done.", {})]
"""


@pytest.fixture
def chores(empty_shop: Any, site: Any, rebind: Any) -> Any:
    """The plugin of an addon with jobs whose behaviour a test chooses."""
    site.write("chores", PLUGIN)
    lifecycle.enable(empty_shop, "chores")
    rebind()
    return site.module("chores", "plugin")


def state(job_id: UUID) -> str:
    found = job_state(job_id)
    assert found is not None
    return found.status


def make_due(job_id: UUID) -> None:
    JobRow.update(run_at=now()).where(JobRow.id == job_id).execute()


def claim(shop: Any, worker: str = "w", lane: str = "default", seconds: float = 60) -> Any:
    names = list(shop.assembly.jobs)
    return leases.claim(shop.databases.shop, lane, names, worker, timedelta(seconds=seconds))


def test_a_job_runs_with_its_payload_and_its_state_tells_how_it_went(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    job_id = chores.sweep.enqueue(room="hall", depth={"cm": 3})
    assert state(job_id) == "queued"
    assert worker_of(empty_shop) == 1
    assert chores.ran == [(1, {"room": "hall", "depth": {"cm": 3}})]
    found = job_state(job_id)
    assert found is not None
    assert (found.name, found.status, found.attempts) == ("chores.sweep", "succeeded", 1)
    assert found.created_at <= found.started_at <= found.finished_at  # type: ignore[operator]


def test_a_job_is_not_run_before_its_time(chores: Any, empty_shop: Any, worker_of: Any) -> None:
    job_id = chores.sweep.enqueue(run_at=now() + timedelta(hours=1))
    assert worker_of(empty_shop) == 0
    make_due(job_id)
    assert worker_of(empty_shop) == 1


def test_an_instant_without_a_zone_is_refused(chores: Any) -> None:
    with pytest.raises(ValueError, match="aware"):
        chores.sweep.enqueue(run_at=now().replace(tzinfo=None))


def test_a_job_of_a_transaction_that_was_rolled_back_never_runs(
    chores: Any, empty_shop: Any, worker_of: Any, undone: Any
) -> None:
    with undone(transaction()):
        job_id = chores.sweep.enqueue()
    assert job_state(job_id) is None
    assert worker_of(empty_shop) == 0


def test_a_job_of_a_savepoint_that_was_rolled_back_never_runs(
    chores: Any, empty_shop: Any, worker_of: Any, undone: Any
) -> None:
    with transaction():
        chores.sweep.enqueue(kept=True)
        with undone(transaction()):
            chores.sweep.enqueue(kept=False)
    assert worker_of(empty_shop) == 1
    assert chores.ran == [(1, {"kept": True})]


def test_no_worker_sees_a_job_before_its_transaction_is_committed(
    chores: Any, empty_shop: Any, threads: Any
) -> None:
    with transaction():
        chores.sweep.enqueue()
        if empty_shop.databases.shop.for_update:
            assert threads.run(lambda: claim(empty_shop)) == [None]
    assert claim(empty_shop) is not None


def test_a_job_that_no_addon_declares_is_refused(empty_shop: Any) -> None:
    @job("ghosts.haunt")
    def haunt(run: JobRun) -> None:
        """Do what nobody will ever claim."""

    with pytest.raises(OperatorError, match=r"ghosts\.haunt"):
        haunt.enqueue()


def test_jobs_of_one_lane_run_in_the_order_of_their_enqueueing(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    for number in range(5):
        chores.sweep.enqueue(number=number)
    assert worker_of(empty_shop) == 5
    assert [payload["number"] for _, payload in chores.ran] == [0, 1, 2, 3, 4]


def test_a_lane_does_not_hand_out_the_jobs_of_another(chores: Any, empty_shop: Any) -> None:
    chores.post.enqueue()
    chores.haul.enqueue()
    assert claim(empty_shop, lane="default") is None
    assert claim(empty_shop, lane="mail").name == "chores.post"
    assert claim(empty_shop, lane="bulk").name == "chores.haul"
    assert leases.lanes_due(["chores.post"]) == []


def test_the_lanes_that_have_work_are_told(chores: Any) -> None:
    chores.post.enqueue()
    chores.haul.enqueue(run_at=now() + timedelta(hours=1))
    assert leases.lanes_due(["chores.post", "chores.haul"]) == ["mail"]
    assert leases.lanes_due([]) == []


def test_a_job_that_fails_is_tried_again_later_and_later_and_is_dead_in_the_end(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    chores.behaviour["sweep"] = lambda run: 1 / 0
    job_id = chores.sweep.enqueue()
    for attempt, wait in ((1, 2), (2, 4)):
        assert worker_of(empty_shop) == 1
        row = JobRow.get_by_id(job_id)
        assert (row.status, row.attempts) == ("queued", attempt)
        assert row.error == "ZeroDivisionError: division by zero"
        assert timedelta(0) < row.run_at - now() <= timedelta(seconds=wait)
        assert row.run_at - now() > timedelta(seconds=wait / 2)
        assert worker_of(empty_shop) == 0
        make_due(job_id)
    assert worker_of(empty_shop) == 1
    found = job_state(job_id)
    assert found is not None
    assert (found.status, found.attempts) == ("dead", 3)
    assert found.error == "ZeroDivisionError: division by zero"
    assert found.finished_at is not None
    assert worker_of(empty_shop) == 0


def test_a_job_that_fails_once_succeeds_the_second_time(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    chores.behaviour["sweep"] = lambda run: 1 / (run.attempt - 1)
    job_id = chores.sweep.enqueue()
    worker_of(empty_shop)
    make_due(job_id)
    worker_of(empty_shop)
    found = job_state(job_id)
    assert found is not None
    assert (found.status, found.attempts, found.error) == ("succeeded", 2, None)


def test_a_permanent_failure_is_not_tried_again_and_tells_why(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    def give_up(run: JobRun) -> None:
        raise PermanentFailure("the hall has no floor")

    chores.behaviour["sweep"] = give_up
    job_id = chores.sweep.enqueue()
    assert worker_of(empty_shop) == 1
    found = job_state(job_id)
    assert found is not None
    assert (found.status, found.error) == ("dead", "the hall has no floor")


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("a\0b"), AssertionError("\ud800")])
def test_whatever_a_job_raises_is_a_failure_like_others(
    chores: Any, empty_shop: Any, worker_of: Any, error: BaseException
) -> None:
    def fail(run: JobRun) -> None:
        raise error

    chores.behaviour["sweep"] = fail
    job_id = chores.sweep.enqueue()
    assert worker_of(empty_shop) == 1
    found = job_state(job_id)
    assert found is not None
    assert found.status == "queued"
    assert type(error).__name__ in str(found.error)


def test_a_job_with_a_payload_that_its_handler_does_not_take_is_a_failure_like_others(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    job_id = chores.post.enqueue(stamp="red")
    worker_of(empty_shop)
    found = job_state(job_id)
    assert found is not None
    assert found.status == "queued"
    assert "TypeError" in str(found.error)


def test_a_run_goes_on_from_its_checkpoint_and_shows_its_progress(
    chores: Any, empty_shop: Any, worker_of: Any
) -> None:
    seen: list[dict[str, Any]] = []

    def in_two_steps(run: JobRun) -> None:
        seen.append(run.checkpoint)
        with run.transaction():
            run.save({"row": run.attempt * 10}, done=run.attempt * 10, total=20)
        if run.attempt == 1:
            raise OSError("the power went")

    chores.behaviour["sweep"] = in_two_steps
    job_id = chores.sweep.enqueue()
    worker_of(empty_shop)
    found = job_state(job_id)
    assert found is not None
    assert (found.status, found.done, found.total) == ("queued", 10, 20)
    make_due(job_id)
    worker_of(empty_shop)
    assert seen == [{}, {"row": 10}]
    found = job_state(job_id)
    assert found is not None
    assert (found.status, found.done) == ("succeeded", 20)


def test_two_workers_never_run_one_job_at_once(
    chores: Any, empty_shop: Any, worker_of: Any, threads: Any
) -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def count(run: JobRun) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        with lock:
            inside[0] -= 1

    chores.behaviour["sweep"] = count
    for number in range(24):
        chores.sweep.enqueue(number=number)
    ran = threads.run(*[lambda: worker_of(empty_shop)] * 3)
    assert sum(ran) == 24
    assert sorted(payload["number"] for _, payload in chores.ran) == list(range(24))
    assert all(attempt == 1 for attempt, _ in chores.ran)
    assert JobRow.select().where(JobRow.status == "succeeded").count() == 24


def test_a_wake_up_is_sent_when_the_transaction_is_committed(chores: Any, empty_shop: Any) -> None:
    before = empty_shop.queue.length()
    with transaction():
        chores.sweep.enqueue()
        assert empty_shop.queue.length() == before
    assert empty_shop.queue.length() == before + 1


def test_a_transaction_that_was_rolled_back_wakes_nobody(
    chores: Any, empty_shop: Any, undone: Any
) -> None:
    before = empty_shop.queue.length()
    with undone(transaction()):
        chores.sweep.enqueue()
    assert empty_shop.queue.length() == before
