"""Addons are switched fifty times and upgraded ten times while clients call everything.

One shop with all its processes is soaked once; each test looks at one side of what was seen.
"""

import json
from collections import Counter
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TOGGLES = 50
RELEASES = 11
WEB_WORKERS = 4
PROBLEM = "application/problem+json"
#: What clients may read a few times a minute only; see load.py.
RATIONED = "/api/v1/payments/usage"
Answers = list[dict[str, Any]]


@pytest.fixture(scope="module")
def soak(new_soak: Any) -> Any:
    """A shop that was switched and upgraded under load, and what was seen of it."""
    new_soak.start()
    new_soak.fill()
    with new_soak.watched(), new_soak.loaded():
        for number in range(TOGGLES):
            new_soak.run(("disable", "enable")[number % 2], "imports")
        for number in range(2, RELEASES + 1):
            new_soak.releases.bring(number)
            new_soak.run("upgrade", "growing")
    new_soak.settle()
    return new_soak


def owner(route: str) -> str:
    """Say whom a route belongs to: one of the two switched addons, or somebody else."""
    root = route.removeprefix("/api/v1/").partition("/")[0].replace("exports", "imports")
    return root if root in ("imports", "growing") else "others"


def of(soak: Any, name: str) -> Answers:
    """Return what the routes of an addon answered, or those of all that was not switched."""
    found = (answer for answer in soak.seen["answers"] if owner(answer["route"]) == name)
    return sorted(found, key=lambda answer: float(answer["at"]))


def unexpected(answers: Answers) -> Answers:
    """Return the answers that an undisturbed shop would not have given."""
    return [answer for answer in answers if answer["status"] != answer["expected"]]


def kinds(answers: Answers) -> Counter[tuple[int, str, str]]:
    """Count answers by status, media type and type of problem."""
    told = ((a["told"] if isinstance(a["told"], dict) else {}) for a in answers)
    return Counter(
        (answer["status"], answer["media"], str(document.get("type", "")).rpartition("/")[2])
        for answer, document in zip(answers, told, strict=True)
    )


def upgrading(soak: Any) -> float:
    """Return when the first upgrade began."""
    found: float = next(c.began for c in soak.commands if c.verb == "upgrade")
    return found


def test_every_command_succeeds_and_every_process_follows(soak: Any) -> None:
    for command in soak.commands:
        assert command.code == 0, command
        assert command.told["laggards"] == []
        assert command.told["processes"] >= WEB_WORKERS + 2, command
    verbs = Counter(command.verb for command in soak.commands)
    assert verbs == {"enable": 1 + TOGGLES // 2, "disable": TOGGLES // 2, "upgrade": RELEASES - 1}


def test_no_request_to_another_addon_fails(soak: Any) -> None:
    answers = of(soak, "others")
    failed = unexpected(answers)
    assert not failed, (len(failed), failed[:3])
    assert len(answers) > 3000
    again, renewed = sum(a["again"] for a in answers), len(soak.seen["renewed"])
    print(f"{len(answers)} answers, {again} asked again, {renewed} idle connections closed")


def test_the_load_reads_every_address_there_is(soak: Any) -> None:
    read = {answer["route"] for answer in soak.seen["answers"] if answer["method"] == "GET"}
    assert {route for route, _, _ in soak.seen["tour"]} - {RATIONED} <= read
    for route, path, status in soak.seen["tour"]:
        # Of what the shop has none of, there is nothing to read: no row of a file was bad.
        lacking = route.endswith(("/avatar", "/report"))
        nothing = "00000000-0000-7000-8000-000000000000" in path or lacking
        answered = 204 if route.endswith("/ping") else 200
        assert status == (404 if nothing else answered), path


def test_a_disabled_addon_answers_404_and_nothing_else_goes_wrong_with_it(soak: Any) -> None:
    away = unexpected(of(soak, "imports"))
    assert kinds(away).keys() == {(404, PROBLEM, "not-found")}, kinds(away)
    assert len(away) > 100
    later = [answer for answer in away if answer["at"] > upgrading(soak)]
    assert not later, later[:3]


def test_an_addon_that_is_upgraded_answers_or_says_that_it_is_being_upgraded(soak: Any) -> None:
    away = unexpected(of(soak, "growing"))
    assert kinds(away).keys() <= {(503, PROBLEM, "migration-pending")}, (kinds(away), away[:3])
    assert all(answer["at"] > upgrading(soak) for answer in away)


def test_after_an_upgrade_only_its_code_answers(soak: Any) -> None:
    ended = [c.ended for c in soak.commands if c.verb == "upgrade"]
    for answer in (answer for answer in of(soak, "growing") if answer["code"]):
        done = 1 + sum(at < answer["at"] for at in ended)
        allowed = {f"{done}.0.0"} if done == RELEASES else {f"{done}.0.0", f"{done + 1}.0.0"}
        assert answer["code"] in allowed, answer
    codes = {answer["code"] for answer in of(soak, "growing")}
    assert codes - {""} == {f"{number}.0.0" for number in range(1, RELEASES + 1)}


def test_no_process_goes_back_to_an_older_generation(soak: Any) -> None:
    for process, generations in soak.generations.items():
        assert generations == sorted(generations), process
    newest: dict[int, int] = {}
    # A connection belongs to one process, which answers it in order.
    for answer in sorted(soak.seen["answers"], key=lambda answer: float(answer["at"])):
        assert answer["generation"] >= newest.get(answer["connection"], 0), answer
        newest[answer["connection"]] = answer["generation"]
    assert len(newest) > 100


def test_once_a_command_has_ended_nobody_serves_an_older_generation(soak: Any) -> None:
    ended = [(c.ended, c.told["generation"]) for c in soak.commands]
    for answer in soak.seen["answers"]:
        least = max(generation for at, generation in ended if at < answer["at"])
        assert answer["generation"] >= least, answer


def test_a_listener_stays_connected_while_other_addons_are_switched(soak: Any) -> None:
    met = [note for note in soak.seen["socket"] if note["at"] < upgrading(soak)]
    assert [note["type"] for note in met] == ["subscribed"], met


def test_a_listener_is_sent_away_by_an_upgrade_and_loses_and_repeats_no_event(soak: Any) -> None:
    planted = soak.query(
        "SELECT \"offset\", (data->>'height')::int FROM bodega_event "
        "WHERE name = 'sprout.planted' AND key = 'soak' ORDER BY \"offset\""
    )
    assert [tuple(event) for event in soak.seen["events"]] == planted
    met = soak.seen["socket"]
    assert all(note["recovered"] for note in met if note["type"] == "subscribed"), met
    codes = Counter(note["code"] for note in met if note["type"] == "closed")
    assert codes == {1012: RELEASES - 1}, met


def test_in_the_end_every_process_runs_the_last_release_alone(soak: Any) -> None:
    living = soak.living()
    assert len(living) == WEB_WORKERS + 2, living
    wanted = soak.query("SELECT version, code FROM bodega_addon WHERE name = 'growing'")
    found = {(f"{RELEASES}.0.0", json.loads(code)["growing"]) for _, code in living}
    assert found == set(wanted)
    columns = soak.query(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'growing_sprout'"
    )
    heights = {name for (name,) in columns if name.startswith("height_")}
    assert heights == {f"height_{RELEASES - 1}", f"height_{RELEASES}"}


def test_no_row_is_lost_or_changed(soak: Any) -> None:
    rows = soak.query(
        f"SELECT id::text, height_{RELEASES}, note FROM growing_sprout "
        "WHERE bed = 'soak' AND watered"
    )
    assert {key: height for key, height, _ in rows} == soak.seen["heights"]
    assert all(note in ("", f"note {height}") for _, height, note in rows)
    assert len(rows) > 100


def test_no_job_is_lost_and_every_import_that_was_accepted_is_done(soak: Any) -> None:
    statuses = soak.query("SELECT name, status, count(*) FROM bodega_job GROUP BY name, status")
    assert {status for _, status, _ in statuses} == {"succeeded"}, statuses
    runs = dict(soak.query("SELECT id::text, status FROM imports_import WHERE total_rows = 20"))
    assert runs == dict.fromkeys(soak.seen["imports"], "completed")
    products = "SELECT count(*) FROM products_product WHERE sku LIKE 'file-%'"
    assert soak.query(products) == [(20 * len(runs),)]
