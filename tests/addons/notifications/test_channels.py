"""Apprise: the team, text messages and people's own targets, sent to a real server."""

import json
from typing import Any

import pytest

from bodega.database.tables import JobRow
from bodega_notifications import api
from bodega_notifications.models import Delivery, Target
from bodega_notifications.sending import ATTEMPTS
from bodega_sdk import now
from bodega_sdk.testing.client import Client

TARGETS = "/api/v1/notifications/targets"
FAILED = {"filename": "a.csv", "message": "No SKU."}
ALL_WAYS = {"import.failed": {"channels": {"sms": True, "push": True}}}


def add(person: Any, url: str, name: str = "my phone") -> Any:
    return person.client.post(TARGETS, {"name": name, "url": url})


def go_on(jobs: Any) -> None:
    JobRow.update(run_at=now()).where(JobRow.status == "queued").execute()
    jobs.run_all(failures=True)


def test_every_channel_reaches_a_real_server(
    person: Any, sink: Any, jobs: Any, set_to: Any
) -> None:
    set_to("team_urls", f"{sink.url}/team1 {sink.url}/team2")
    set_to("sms_url", f"{sink.url}/sms/{{phone}}")
    set_to("private_targets", True)
    vera = person("vera", phone="+49 (30) 1-2/3")
    add(vera, f"{sink.url}/push1").expect(201)
    add(vera, f"{sink.url}/push2").expect(201)
    vera.prefer(types=ALL_WAYS)
    api.notify([vera.id], "import.failed", FAILED)
    jobs.run_all()
    assert sorted(item["path"] for item in sink.taken) == [
        "/push1", "/push2", "/sms/+4930123", "/team1", "/team2",
    ]  # fmt: skip
    for item in sink.taken:
        assert item["title"] == "a.csv could not be imported"
        assert "The reason: No SKU." in item["message"]
    left = Delivery.select().where(Delivery.channel != "email")
    assert {row.status for row in left} == {"sent"}


def test_a_server_that_fails_gets_it_again_and_the_others_do_not(
    vera: Any, sink: Any, jobs: Any, set_to: Any
) -> None:
    set_to("team_urls", f"{sink.url}/one {sink.url}/two")
    sink.answers = [500, 200, 503]
    api.notify([vera.id], "import.failed", FAILED)
    for _ in range(3):
        go_on(jobs)
    assert sorted(item["path"] for item in sink.taken) == ["/one", "/two"]
    assert sink.asked == 4
    rows = list(Delivery.select().where(Delivery.channel == "team"))
    assert sorted(row.attempts for row in rows) == [1, 3]
    assert {(row.status, row.error) for row in rows} == {("sent", "")}


def test_a_server_that_never_takes_it_is_given_up(
    vera: Any, sink: Any, jobs: Any, set_to: Any
) -> None:
    set_to("team_urls", sink.url)
    sink.answers = [500] * ATTEMPTS
    api.notify([vera.id], "import.failed", FAILED)
    for _ in range(ATTEMPTS + 1):
        go_on(jobs)
    row = Delivery.get(Delivery.channel == "team")
    assert (row.status, row.attempts, sink.asked) == ("failed", ATTEMPTS, ATTEMPTS)
    assert f"given up after {ATTEMPTS} tries" in row.error


def test_what_waits_for_one_place_goes_there_as_one_message(
    vera: Any, sink: Any, jobs: Any, set_to: Any, clock: Any
) -> None:
    set_to("private_targets", True)
    add(vera, f"{sink.url}/push").expect(201)
    choice = {"channels": {"push": True, "email": False}, "digest": "hourly"}
    vera.prefer(types={"import.failed": choice})
    for name in ("a", "b"):
        api.notify([vera.id], "import.failed", FAILED | {"filename": name})
    clock.move(minutes=61)
    jobs.run_all()
    (taken,) = sink.taken
    assert taken["title"] == "2: a could not be imported"
    assert taken["message"].splitlines() == [
        "- a could not be imported", "- b could not be imported",
    ]  # fmt: skip


def test_an_address_that_is_gone_is_told_of(vera: Any, sink: Any, jobs: Any, set_to: Any) -> None:
    set_to("team_urls", sink.url)
    api.notify([vera.id], "import.failed", FAILED)
    set_to("team_urls", "")
    jobs.run_all(failures=True)
    row = Delivery.get(Delivery.channel == "team")
    assert (row.status, row.error) == ("failed", "the place it should go to is gone")


def test_without_an_address_everything_is_kept_and_can_be_read(
    person: Any, jobs: Any, admin: Any, run: Any
) -> None:
    vera = person("vera", phone="030 1")
    vera.prefer(types=ALL_WAYS)
    api.notify([vera.id], "import.failed", FAILED)
    jobs.run_all()
    kept = {row.channel for row in Delivery.select().where(Delivery.status == "kept")}
    assert kept == {"sms", "team"}
    listed = json.loads(run("outbox", "--json"))
    assert {(item["channel"], item["status"], item["to"]) for item in listed} == {
        ("sms", "kept", "030 1"), ("team", "kept", "the team"), ("email", "mailed", vera.email),
    }  # fmt: skip
    assert "a.csv could not" in run("outbox", "--channel", "sms")
    (sms,) = [item["id"] for item in listed if item["channel"] == "sms"]
    assert "The reason: No SKU." in run("show", sms)
    page = console(admin, "/notifications?status=kept")
    for shown in ("the team", "030 1", "notifications.team_urls is not set", "No SKU."):
        assert shown in page.text


def console(who: Client, path: str) -> Any:
    return who.get(f"/console{path}", headers={"Cookie": f"bodega_console={who.token}"})


def test_only_administrators_see_the_outbox_and_the_wording(person: Any, admin: Any) -> None:
    for path in ("/notifications", "/notifications/templates"):
        assert console(admin, path).status_code == 200
        for role in ("user", "vendor", "staff"):
            assert console(person(f"{role}{len(path)}", role).client, path).status_code == 403


# People's own targets.


def test_a_target_is_stored_sealed_and_never_shown(vera: Any, set_to: Any) -> None:
    url = "tgram://123456789:abcdefg_hijklmnop/12315544/"
    made = add(vera, url).expect(201)
    assert (made["service"], made["name"], "url" in made) == ("Telegram", "my phone", False)
    assert "abcdefg" not in Target.get().url
    (listed,) = vera.client.get(TARGETS).expect(200)["results"]
    assert listed == vera.client.get(f"{TARGETS}/{made['id']}").expect(200) == made
    vera.client.delete(f"{TARGETS}/{made['id']}").expect(204)
    assert Target.select().count() == 0


def test_another_persons_targets_cannot_be_reached(vera: Any, person: Any, admin: Any) -> None:
    made = add(vera, "tgram://123456789:abcdefg_hijklmnop/12315544/").expect(201)
    for other in (person("otto").client, admin):
        assert other.get(TARGETS).expect(200)["count"] == 0
        other.get(f"{TARGETS}/{made['id']}").expect(404)
        other.delete(f"{TARGETS}/{made['id']}").expect(404)


def test_there_are_ten_targets_at_most(vera: Any) -> None:
    for number in range(10):
        add(vera, f"tgram://123456789:abcdefg_hijklmnop/{number}1231/").expect(201)
    add(vera, "tgram://123456789:abcdefg_hijklmnop/12315544/").expect(409)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "", "url": "json://1.1.1.1"}, {"name": "x", "url": 3},
     {"name": "x", "url": "a" * 3000}, {"name": "x", "url": "tgram://a\0b"},
     {"name": "x", "url": "json://1.1.1.1", "account": "me"}],
)  # fmt: skip
def test_bad_targets_are_refused(vera: Any, body: Any) -> None:
    vera.client.post(TARGETS, body).expect(422)
