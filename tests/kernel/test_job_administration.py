"""Jobs through the API and the command line, on both engines."""

import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from bodega.addons import lifecycle
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.database.tables import Counter, JobRow, ScheduleRow
from bodega.editions import Edition
from bodega.jobs import administration
from bodega.shop import Shop
from bodega_sdk import transaction, uuid7
from bodega_sdk.errors import BodegaError, Conflict, LeaseLost, PermanentFailure
from bodega_sdk.models import now
from bodega_sdk.runtime import bound

NOBODY = "00000000-0000-7000-8000-000000000000"
PLUGIN = '''
from datetime import timedelta

from bodega_sdk import hookimpl, job


def act(run, **payload):
    """Tests put what they need in its place."""


@job("work.haul", lane="bulk", max_attempts=1)
def haul(run, **payload):
    act(run, **payload)


@job("work.post", lane="mail")
def post(run, **payload):
    act(run, **payload)


@job("work.clean", every=timedelta(minutes=5))
def clean(run):
    act(run)


@hookimpl
def register_jobs():
    return [haul, post, clean]
'''


@pytest.fixture
def copied() -> bool:
    """The shop of these tests begins with an addon of its own."""
    return False


@pytest.fixture
def shop(new_shop: Shop, site: Any) -> Iterator[Shop]:
    """A started shop of accounts and the addon work, bound to the test."""
    site.write("work", PLUGIN)
    lifecycle.prepare(new_shop, Edition("test", ("accounts", "work")))
    new_shop.refresh()
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def work(shop: Shop) -> Any:
    """The plugin of work; what its jobs do is its ``act``."""
    return importlib.import_module("bodega_sample_work.plugin")


@pytest.fixture
def run(shop: Shop) -> Callable[..., Result]:
    """Runs a command in this process, on the shop of the test."""

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(bodega, list(arguments), obj=Context(_shop=shop))
        if result.exception and not isinstance(result.exception, BodegaError | SystemExit):
            raise result.exception
        return result

    return call


def enqueue(job: Any, **payload: Any) -> UUID:
    with transaction():
        return UUID(str(job.enqueue(**payload)))


def fail(run: Any, **payload: Any) -> None:
    raise PermanentFailure("the road is closed")


def dead(work: Any, worker: Any, **payload: Any) -> UUID:
    """Return a job of work that failed for good; the next run of it will do nothing."""
    before, work.act = work.act, fail
    job_id = enqueue(work.haul, **payload)
    worker.run()
    work.act = before
    return job_id


def status(job_id: UUID) -> str:
    return str(JobRow.get_by_id(job_id).status)


def write(name: str) -> None:
    Counter.insert(name=name, value=1).execute()


def written(name: str) -> bool:
    return bool(Counter.select().where(Counter.name == name).exists())


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json["results"]]


# Reading.


def test_a_job_tells_all_about_itself_and_alone_its_payload_too(
    admin: Any, work: Any, worker: Any
) -> None:
    job_id = dead(work, worker, stones=3)
    found = admin.get(f"/api/v1/jobs/{job_id}").json
    assert found.pop("payload") == {"stones": 3}
    for instant in ("run_at", "created_at", "started_at", "finished_at"):
        assert found.pop(instant).endswith("Z")
    assert found == {
        "id": str(job_id), "name": "work.haul", "addon": "work", "lane": "bulk", "status": "dead",
        "attempts": 1, "max_attempts": 1, "done": 0, "total": None, "progress": None,
        "error": "the road is closed", "worker": "test",
    }  # fmt: skip
    (listed,) = admin.get("/api/v1/jobs").json["results"]
    assert "payload" not in listed
    assert listed.keys() >= found.keys()


def test_progress_is_in_per_cent(admin: Any, work: Any, worker: Any) -> None:
    def half(run: Any) -> None:
        with run.transaction():
            run.save(done=1, total=3)

    work.act = half
    job_id = enqueue(work.post)
    worker.run()
    found = admin.get(f"/api/v1/jobs/{job_id}").json
    assert (found["done"], found["total"], found["progress"]) == (1, 3, 33.3)


def test_the_newest_jobs_come_first_page_by_page(admin: Any, work: Any) -> None:
    made = [str(enqueue(work.post)) for _ in range(5)]
    seen: list[str] = []
    for page in (1, 2, 3):
        answer = admin.get(f"/api/v1/jobs?page={page}&page_size=2").json
        seen += [item["id"] for item in answer["results"]]
        assert answer["count"] == 5
    assert seen == made[::-1]
    assert answer["next"] is None


def test_a_cursor_walks_through_all_jobs(admin: Any, work: Any) -> None:
    made = [str(enqueue(work.post)) for _ in range(5)]
    seen: list[str] = []
    url: str | None = "/api/v1/jobs?page_size=2&cursor="
    while url:
        answer = admin.get(url.removeprefix("http://falconframework.org")).json
        seen += [item["id"] for item in answer["results"]]
        url = answer["next"]
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=dead", ["work.haul"]),
        ("status=queued", ["work_2.post", "work.post"]),
        ("name=work.post", ["work.post"]),
        ("lane=mail", ["work_2.post", "work.post"]),
        ("addon=work", ["work.post", "work.haul"]),
        ("addon=work_2", ["work_2.post"]),
        ("addon=wor_", []),
        ("status=dead&lane=mail", []),
    ],
)
def test_jobs_are_filtered(
    admin: Any, work: Any, worker: Any, query: str, expected: list[str]
) -> None:
    dead(work, worker)
    enqueue(work.post)
    JobRow.create(id=uuid7(), name="work_2.post", lane="mail", payload={}, max_attempts=1)
    assert names(admin.get(f"/api/v1/jobs?{query}")) == expected


@pytest.mark.parametrize("query", ["status=ended", "lane=fast", "colour=red", "page=0"])
def test_a_filter_that_cannot_be_is_refused(admin: Any, query: str) -> None:
    assert admin.get(f"/api/v1/jobs?{query}").status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/retry"), ("POST", "/cancel")]
)  # fmt: skip
def test_a_job_that_is_not_there_is_a_404(admin: Any, method: str, path: str) -> None:
    assert admin.request(method, f"/api/v1/jobs/{NOBODY}{path}").status_code == 404


# Trying again.


def test_a_dead_job_runs_again_exactly_once(shop: Shop, admin: Any, work: Any, worker: Any) -> None:
    job_id = dead(work, worker, stones=3)
    runs: list[Any] = []
    work.act = lambda run, **payload: runs.append((run.attempt, payload))
    waiting = shop.queue.length()
    answer = admin.post(f"/api/v1/jobs/{job_id}/retry")
    assert answer.status_code == 200, answer.text
    found = answer.json
    assert (found["status"], found["attempts"], found["error"]) == ("queued", 0, None)
    assert (found["worker"], found["finished_at"]) == (None, None)
    assert shop.queue.length() == waiting + 1
    assert worker.run() == 1
    worker.sweep()
    assert worker.run() == 0
    assert runs == [(1, {"stones": 3})]
    assert status(job_id) == "succeeded"


def test_a_job_that_is_tried_again_goes_on_from_its_checkpoint(
    admin: Any, work: Any, worker: Any
) -> None:
    seen: list[Any] = []

    def in_two_goes(run: Any) -> None:
        seen.append(run.checkpoint)
        with run.transaction():
            run.save({"line": 7}, done=7)
        if len(seen) == 1:
            raise PermanentFailure("no more paper")

    work.act = in_two_goes
    job_id = enqueue(work.haul)
    worker.run()
    admin.post(f"/api/v1/jobs/{job_id}/retry")
    worker.run()
    assert seen == [{}, {"line": 7}]


@pytest.mark.parametrize("wrong", ["queued", "running", "parked", "succeeded"])
def test_only_a_job_that_ended_badly_is_tried_again(admin: Any, work: Any, wrong: str) -> None:
    job_id = enqueue(work.post)
    JobRow.update(status=wrong).execute()
    answer = admin.post(f"/api/v1/jobs/{job_id}/retry")
    assert answer.status_code == 409
    assert f"is {wrong}." in answer.json["detail"]
    assert answer.json["errors"][0]["found"] == wrong
    assert status(job_id) == wrong


def test_of_operators_who_try_again_at_once_one_wins(
    shop: Shop, work: Any, worker: Any, threads: Any
) -> None:
    job_id = dead(work, worker)

    def retry() -> str:
        try:
            return str(administration.retry(shop, job_id).status)
        except Conflict as conflict:
            return str(conflict.status)

    assert sorted(threads.run(retry, retry, retry)) == ["409", "409", "queued"]
    assert worker.run() == 1


def test_the_job_of_a_disabled_addon_waits_for_it(
    shop: Shop, admin: Any, work: Any, worker: Any
) -> None:
    job_id = dead(work, worker)
    lifecycle.disable(shop, "work")
    shop.refresh()
    assert admin.post(f"/api/v1/jobs/{job_id}/retry").json["status"] == "parked"
    lifecycle.enable(shop, "work")
    shop.refresh()
    with bound(shop.current):
        assert worker.run() == 1
    assert status(job_id) == "succeeded"


# Cancelling.


@pytest.mark.parametrize("waiting", ["queued", "parked"])
def test_a_job_that_waits_is_cancelled_and_never_runs(
    admin: Any, work: Any, worker: Any, waiting: str
) -> None:
    job_id = enqueue(work.post)
    JobRow.update(status=waiting).execute()
    answer = admin.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert answer.json["finished_at"] is not None
    worker.sweep()
    assert worker.run() == 0


def end_a_transaction(run: Any) -> None:
    with run.transaction():
        write("after")


def save(run: Any) -> None:
    with transaction():
        write("saved")
        run.save({"line": 2}, done=2)


def test_a_run_that_is_cancelled_writes_nothing_more(admin: Any, work: Any, worker: Any) -> None:
    told: list[str] = []

    def go_on(run: Any) -> None:
        with run.transaction():
            write("before")
            run.save(done=1, total=2)
        assert admin.post(f"/api/v1/jobs/{run.id}/cancel").status_code == 200
        for late in (end_a_transaction, save):
            with pytest.raises(LeaseLost):
                late(run)
            told.append(late.__name__)

    work.act = go_on
    job_id = enqueue(work.haul)
    worker.run()
    assert told == ["end_a_transaction", "save"]
    assert written("before")
    assert not written("after")
    assert not written("saved")
    found = admin.get(f"/api/v1/jobs/{job_id}").json
    assert (found["status"], found["done"], found["error"]) == ("cancelled", 1, None)


def test_a_run_that_fails_after_it_was_cancelled_stays_cancelled(
    shop: Shop, work: Any, worker: Any
) -> None:
    def stumble(run: Any) -> None:
        administration.cancel(shop, run.id)
        raise RuntimeError("whatever")

    work.act = stumble
    job_id = enqueue(work.post)
    worker.run()
    worker.expire_leases()
    assert status(job_id) == "cancelled"
    assert worker.run() == 0


def test_a_run_that_outlives_its_cancelling_does_not_disturb_the_next(
    shop: Shop, admin: Any, work: Any, worker: Any
) -> None:
    runs: list[int] = []

    def outlive(run: Any) -> None:
        runs.append(run.attempt)
        if len(runs) > 1:
            with run.transaction():
                write("second")
            return
        admin.post(f"/api/v1/jobs/{run.id}/cancel")
        admin.post(f"/api/v1/jobs/{run.id}/retry")
        with bound(shop.current):
            worker.run()
        with run.transaction():
            write("first")

    work.act = outlive
    job_id = enqueue(work.haul)
    worker.run()
    assert runs == [1, 1]
    assert written("second")
    assert not written("first")
    assert status(job_id) == "succeeded"


def test_another_process_cancels_a_running_job(work: Any, worker: Any, terminal: Any) -> None:
    def go_on(run: Any) -> None:
        done = terminal.run("jobs", "cancel", str(run.id))
        assert (done.returncode, done.stderr) == (0, "")
        with run.transaction():
            write("after")

    work.act = go_on
    job_id = enqueue(work.haul)
    worker.run()
    assert not written("after")
    assert status(job_id) == "cancelled"


@pytest.mark.parametrize("ended", ["succeeded", "dead", "cancelled"])
def test_a_job_that_has_ended_cannot_be_cancelled(admin: Any, work: Any, ended: str) -> None:
    job_id = enqueue(work.post)
    JobRow.update(status=ended).execute()
    answer = admin.post(f"/api/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 409
    assert f"is {ended}." in answer.json["detail"]


# Schedules.


def schedule(admin: Any, name: str) -> Any:
    """Return one of the schedules; accounts has one, too."""
    found = admin.get("/api/v1/schedules").json["results"]
    return next(item for item in found if item["name"] == name)


def test_schedules_tell_when_they_are_due_and_how_they_went(
    admin: Any, work: Any, worker: Any
) -> None:
    found = schedule(admin, "work.clean")
    assert found == {"name": "work.clean", "addon": "work", "every": 300.0, "due": None,
                     "last_job": None, "last_status": None}  # fmt: skip
    worker.sweep()
    ScheduleRow.update(due=now()).execute()
    worker.sweep()
    worker.run()
    found = schedule(admin, "work.clean")
    assert found["last_status"] == "succeeded"
    assert admin.get(f"/api/v1/jobs/{found['last_job']}").json["name"] == "work.clean"
    assert found["due"].endswith("Z")


# Permissions.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/jobs"), ("GET", f"/api/v1/jobs/{NOBODY}"), ("GET", "/api/v1/schedules"),
        ("POST", f"/api/v1/jobs/{NOBODY}/retry"), ("POST", f"/api/v1/jobs/{NOBODY}/cancel"),
    ],
)  # fmt: skip
def test_only_administrators_get_at_jobs(admin: Any, client: Any, method: str, path: str) -> None:
    person = {"email": "staff@example.com", "password": "correct horse", "role": "staff"}
    assert admin.post("/api/v1/users", person).status_code == 201
    staff = client.log_in("staff@example.com", "correct horse")
    assert staff.request(method, path).status_code == 403
    assert client.request(method, path).status_code == 401


def test_the_documentation_shows_the_operations(client: Any) -> None:
    paths = client.get("/api/schema").json["paths"]
    retry = paths["/api/v1/jobs/{id}/retry"]["post"]
    assert (retry["x-permission"], retry["tags"]) == ("bodega.write", ["bodega"])
    assert {"/api/v1/jobs", "/api/v1/schedules", "/api/v1/settings/{name}"} <= paths.keys()


# The command line.


def test_the_list_shows_jobs_and_narrows_them(run: Any, work: Any, worker: Any) -> None:
    job_id = dead(work, worker)
    enqueue(work.post)
    lines = run("jobs", "list").output.splitlines()
    assert [line.split()[1] for line in lines] == ["NAME", "work.post", "work.haul"]
    lines = run("jobs", "list", "--status", "dead").output.splitlines()
    assert lines[1].startswith(str(job_id))
    assert lines[1].endswith("the road is closed")
    (listed,) = json.loads(run("jobs", "list", "--lane", "mail", "--json").output)
    assert listed["name"] == "work.post"
    assert "2 in all" in run("jobs", "list", "--limit", "1").output


def test_a_job_is_shown_with_its_payload(run: Any, work: Any) -> None:
    job_id = str(enqueue(work.post, to="Zoë"))
    told = run("jobs", "show", job_id)
    assert "status:       queued" in told.output
    assert 'payload:      {"to": "Zoë"}' in told.output
    assert json.loads(run("jobs", "show", job_id, "--json").output)["payload"] == {"to": "Zoë"}


def test_dead_jobs_are_tried_again_one_by_one_or_all_of_a_name(
    shop: Shop, run: Any, work: Any, worker: Any
) -> None:
    one, two, three = (dead(work, worker) for _ in range(3))
    assert f"{one} (work.haul) is queued again" in run("jobs", "retry", str(one)).output
    assert [status(job_id) for job_id in (one, two, three)] == ["queued", "dead", "dead"]
    waiting = shop.queue.length()
    assert run("jobs", "retry", "--dead", "work.haul").output.startswith("Queued 2 dead work.haul")
    assert shop.queue.length() == waiting + 1
    assert worker.run() == 3


def test_a_name_without_dead_jobs_is_told_which_have_some(run: Any, work: Any, worker: Any) -> None:
    dead(work, worker)
    told = run("jobs", "retry", "--dead", "work.post")
    assert str(told.exception) == "There is no dead job named 'work.post'; dead are: work.haul."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("retry",), "give either the ID of a job or --dead NAME"),
        (("retry", NOBODY, "--dead", "work.haul"), "give either the ID of a job or --dead NAME"),
        (("retry", "seven"), "'seven' is not a valid UUID"),
        (("list", "--status", "ended"), "'ended' is not one of"),
    ],
)
def test_a_call_that_cannot_be_is_told_why(
    run: Any, arguments: tuple[str, ...], message: str
) -> None:
    done = run("jobs", *arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


@pytest.mark.parametrize("verb", ["show", "retry", "cancel"])
def test_an_unknown_id_is_told_in_one_sentence(run: Any, verb: str) -> None:
    told = run("jobs", verb, NOBODY)
    assert str(told.exception) == f"There is no job {NOBODY}; list the jobs for their ids."


def test_a_job_is_cancelled(run: Any, work: Any) -> None:
    job_id = str(enqueue(work.post))
    assert f"{job_id} (work.post) is cancelled" in run("jobs", "cancel", job_id).output
    again = run("jobs", "cancel", job_id)
    assert "is cancelled. Only a job that is queued or parked" in str(again.exception)


def test_schedules_are_listed(run: Any, worker: Any) -> None:
    lines = [" ".join(line.split()) for line in run("jobs", "schedules").output.splitlines()]
    assert "work.clean 300 s at the next sweep never ran" in lines
    worker.sweep()
    assert "never ran" in run("jobs", "schedules").output
    listed = json.loads(run("jobs", "schedules", "--json").output)
    assert all(item["due"].endswith("Z") for item in listed)


@pytest.mark.parametrize("arguments", [(), *((verb,) for verb in
                         ("list", "show", "retry", "cancel", "schedules"))])  # fmt: skip
def test_every_command_has_help_with_an_example(run: Any, arguments: tuple[str, ...]) -> None:
    done = run("jobs", *arguments, "--help")
    assert done.exit_code == 0
    assert "Example: bodega jobs" in done.output
