"""What people choose: ways, digests, quiet hours in their own time zone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bodega_notifications import api
from bodega_notifications.models import Delivery

PREFERENCES = "/api/v1/notifications/preferences"
EMAIL_TOO = {"import.completed": {"channels": {"email": True}}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tell(person: Any, number: int = 1, kind: str = "import.completed") -> None:
    api.notify([person.id], kind, {"filename": f"{number}.csv"})


def test_the_defaults_are_those_of_the_types(vera: Any) -> None:
    found = vera.client.get(PREFERENCES).expect(200)
    assert (found["time_zone"], found["quiet_hours"]) == ("UTC", None)
    assert found["types"]["import.failed"] == {
        "title": "An import of yours failed",
        "channels": {"in_app": True, "email": True, "sms": False, "push": False},
        "digest": "immediately",
        "locked": [],
    }
    assert found["types"]["account.changed"]["locked"] == ["in_app", "email"]


def test_people_choose_ways_for_each_type(vera: Any, mailbox: Any) -> None:
    off = {"import.failed": {"channels": {"email": False, "in_app": False}}}
    set_to = vera.prefer(types=off | EMAIL_TOO)
    assert set_to["types"]["import.completed"]["channels"]["email"] is True
    tell(vera, kind="import.failed")
    assert (vera.inbox(), mailbox.to(vera.email)) == ([], [])
    tell(vera)
    assert len(vera.inbox()) == len(mailbox.to(vera.email)) == 1


def test_what_is_left_out_is_the_default_again(vera: Any) -> None:
    vera.prefer(types=EMAIL_TOO, time_zone="Asia/Tokyo")
    found = vera.prefer()
    assert found["types"]["import.completed"]["channels"]["email"] is False
    assert found["time_zone"] == "UTC"


def test_security_cannot_be_switched_off_or_put_off(vera: Any) -> None:
    for choice in (
        {"channels": {"email": False}}, {"channels": {"in_app": False}}, {"digest": "daily"},
    ):  # fmt: skip
        answer = vera.client.put(PREFERENCES, {"types": {"account.changed": choice}})
        (error,) = answer.expect(422)["errors"]
        assert "security" in error["message"]
    vera.prefer(types={"account.changed": {"channels": {"email": True, "sms": True}}})


@pytest.mark.parametrize(
    "body",
    [
        {"types": {"no.such": {}}},
        {"types": {"import.failed": {"channels": {"pigeon": True}}}},
        {"types": {"import.failed": {"channels": {"email": "yes"}}}},
        {"types": {"import.failed": {"digest": "weekly"}}},
        {"types": {"import.failed": None}},
        {"types": []},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "Europe"},
        {"quiet_hours": {"begins": "25:00", "ends": "07:00"}},
        {"quiet_hours": {"begins": "22:00"}},
        {"quiet_hours": {"begins": "22:00\n", "ends": "07:00"}},
        {"quiet_hours": "always"},
        {"unknown": 1},
        [],
    ],
)
def test_what_makes_no_sense_is_refused(vera: Any, body: Any) -> None:
    vera.client.put(PREFERENCES, body).expect(422)


def test_preferences_are_ones_own(vera: Any, person: Any) -> None:
    vera.prefer(time_zone="Asia/Tokyo")
    other = person("otto").client.get(PREFERENCES).expect(200)
    assert other["time_zone"] == "UTC"


def test_the_profiles_time_zone_counts_where_none_is_chosen(person: Any) -> None:
    vera = person("vera", preferences={"time_zone": "Europe/Berlin"})
    assert vera.client.get(PREFERENCES).expect(200)["time_zone"] == "Europe/Berlin"
    odd = person("odd", preferences={"time_zone": ["?"]})
    assert odd.client.get(PREFERENCES).expect(200)["time_zone"] == "UTC"


def test_nothing_is_sent_in_quiet_hours_but_security(
    vera: Any, clock: Any, jobs: Any, mailbox: Any
) -> None:
    clock.set(at("2027-06-10T21:30:00"))  # 23:30 in Berlin.
    vera.prefer(
        time_zone="Europe/Berlin", quiet_hours={"begins": "22:00", "ends": "07:00"},
        types=EMAIL_TOO,
    )  # fmt: skip
    tell(vera)
    tell(vera, kind="account.changed")
    jobs.run_all()
    assert [mail.subject for mail in mailbox.to(vera.email)] == ["Your account was changed"]
    assert len(vera.inbox()) == 2  # The inbox makes no noise.
    assert Delivery.get(Delivery.status == "waiting").due_at == at("2027-06-11T05:00:00")
    clock.set(at("2027-06-11T04:58:00"))
    jobs.run_all()
    assert len(mailbox.to(vera.email)) == 1
    clock.set(at("2027-06-11T05:02:00"))
    jobs.run_all()
    jobs.run_all()
    assert [mail.subject for mail in mailbox.to(vera.email)][1:] == ["1.csv is imported"]


def test_what_quiet_hours_held_back_leaves_as_one_mail(
    vera: Any, clock: Any, jobs: Any, mailbox: Any
) -> None:
    clock.set(at("2027-06-10T23:00:00"))
    vera.prefer(quiet_hours={"begins": "22:00", "ends": "07:00"}, types=EMAIL_TOO)
    tell(vera, 1)
    tell(vera, 2, "import.failed")
    clock.set(at("2027-06-11T07:02:00"))
    jobs.run_all()
    (mail,) = mailbox.to(vera.email)
    assert "1.csv is imported" in mail.text
    assert "2.csv could not be imported" in mail.text


def test_hourly_digests_tell_of_everything_in_one_mail(
    vera: Any, clock: Any, jobs: Any, mailbox: Any
) -> None:
    clock.set(at("2027-06-10T10:20:00"))
    vera.prefer(types={"import.completed": {"channels": {"email": True}, "digest": "hourly"}})
    for number in (1, 2, 3):
        tell(vera, number)
    jobs.run_all()
    assert mailbox.to(vera.email) == []
    clock.set(at("2027-06-10T11:02:00"))
    jobs.run_all()
    jobs.run_all()
    (mail,) = mailbox.to(vera.email)
    assert mail.subject == "3 notifications"
    for number in (1, 2, 3):
        assert f"{number}.csv" in mail.text
        assert f"{number}.csv" in mail.html


def test_a_digest_of_one_is_an_ordinary_mail_and_what_was_read_is_left_out(
    vera: Any, clock: Any, jobs: Any, mailbox: Any
) -> None:
    clock.set(at("2027-06-10T10:20:00"))
    vera.prefer(types={"import.completed": {"channels": {"email": True}, "digest": "hourly"}})
    tell(vera, 1)
    vera.client.post("/api/v1/notifications/read-all").expect(200)
    tell(vera, 2)
    clock.set(at("2027-06-10T11:02:00"))
    jobs.run_all()
    assert [mail.subject for mail in mailbox.to(vera.email)] == ["2.csv is imported"]
    assert sorted(item.status for item in vera.sent("email")) == ["mailed", "skipped"]


def test_daily_digests_leave_in_the_morning_of_the_person(
    vera: Any, clock: Any, jobs: Any, mailbox: Any
) -> None:
    clock.set(at("2027-06-10T10:20:00"))  # 19:20 in Tokyo.
    vera.prefer(
        time_zone="Asia/Tokyo",
        types={"import.completed": {"channels": {"email": True}, "digest": "daily"}},
    )
    tell(vera, 1)
    tell(vera, 2)
    assert {item.due_at for item in vera.sent("email")} == {at("2027-06-10T23:00:00")}
    clock.set(at("2027-06-10T22:58:00"))
    jobs.run_all()
    assert mailbox.to(vera.email) == []
    clock.set(at("2027-06-10T23:02:00"))
    jobs.run_all()
    assert [mail.subject for mail in mailbox.to(vera.email)] == ["2 notifications"]
