"""Quiet hours and digests, over midnight and over the change of clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bodega_notifications.timing import Quiet, is_zone, next_digest, zone_of

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("06-10T19:59:00", "06-10T19:59:00"),  # 21:59 in Berlin: not yet.
        ("06-10T20:00:00", "06-11T05:00:00"),  # 22:00
        ("06-10T23:00:00", "06-11T05:00:00"),  # 01:00
        ("06-11T04:59:59", "06-11T05:00:00"),
        ("06-11T05:00:00", "06-11T05:00:00"),
        # The clocks go back at 03:00 on 25 October: 07:00 is 06:00 UTC then.
        ("10-24T21:00:00", "10-25T06:00:00"),
        # And forth on 29 March: 07:00 is 05:00 UTC then.
        ("03-28T22:00:00", "03-29T05:00:00"),
    ],
)
def test_quiet_hours_over_midnight_end_in_the_morning(moment: str, end: str) -> None:
    quiet = Quiet.read("22:00", "07:00")
    assert quiet is not None
    assert quiet.end_after(at(moment), BERLIN) == at(end)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    quiet = Quiet.read("12:00", "14:30")
    assert quiet is not None
    assert quiet.end_after(at("01-10T11:30:00"), BERLIN) == at("01-10T13:30:00")
    assert quiet.end_after(at("01-10T10:59:00"), BERLIN) == at("01-10T10:59:00")
    assert Quiet.read("", "") is Quiet.read("08:00", "08:00") is None


def test_an_end_that_the_clocks_leap_over_is_never_in_the_past() -> None:
    quiet = Quiet.read("01:00", "02:30")  # There is no 02:30 on 29 March.
    assert quiet is not None
    moment = at("03-29T00:50:00")
    assert moment <= quiet.end_after(moment, BERLIN) <= at("03-29T01:30:00")


@pytest.mark.parametrize(
    ("mode", "moment", "due"),
    [
        ("immediately", "06-10T10:20:30", "06-10T10:20:30"),
        ("hourly", "06-10T10:20:30", "06-10T11:00:00"),
        ("hourly", "06-10T23:00:00", "06-11T00:00:00"),
        ("daily", "06-10T05:59:00", "06-10T06:00:00"),
        ("daily", "06-10T06:00:00", "06-11T06:00:00"),
        ("daily", "10-24T10:00:00", "10-25T07:00:00"),
    ],
)
def test_digests_leave_on_the_hour(mode: str, moment: str, due: str) -> None:
    assert next_digest(mode, at(moment), BERLIN, 8) == at(due)


def test_only_names_of_time_zones_are_ones() -> None:
    for name in ("../x", "Europe", "", None, 3, ["UTC"], "europe/berlin "):
        assert not is_zone(name)
    assert zone_of(None, "nonsense", "Asia/Tokyo").key == "Asia/Tokyo"
    assert zone_of("").key == "UTC"
