"""Days of time zones in slots, without a shop."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bodega_analytics import tables
from bodega_analytics.bots import is_bot
from bodega_analytics.ranking import share
from bodega_analytics.selling import growth, label
from bodega_analytics.slots import PER_DAY, bounds, cut_days, day_begins, moment_of, zones


def test_every_day_of_every_zone_begins_with_a_slot() -> None:
    """An offset that is no whole number of quarters would put a day's begin inside a slot."""
    for name in sorted(zones()):
        zone = ZoneInfo(name)
        for day in (date(2000, 1, 1), date(2012, 7, 1), date(2026, 3, 29), date(2027, 11, 7)):
            begin = moment_of(day_begins(day, zone)).astimezone(zone)
            # Midnight, or the end of the hour that was skipped.
            assert (begin.date(), begin.minute % 15, begin.second) == (day, 0, 0), name


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
        # Midnight itself is skipped.
        ("Africa/Cairo", date(2026, 4, 24), 23),
    ],
)
def test_days_of_summer_time_have_the_hours_they_have(zone: str, day: date, hours: float) -> None:
    first, last = bounds(day, day, ZoneInfo(zone), "day")
    assert (last - first) / 4 == hours
    starts = bounds(day, day, ZoneInfo(zone), "hour")
    assert (starts[0], starts[-1]) == (first, last)
    labels = [label(one, ZoneInfo(zone), "hour") for one in starts[:-1]]
    assert len(set(labels)) == len(labels)


def test_weeks_begin_on_mondays_and_months_on_the_first() -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    first, last = date(2026, 1, 14), date(2026, 3, 3)
    for interval, expected in (("week", 8), ("month", 3)):
        edges = bounds(first, last, zone, interval)
        assert (len(edges) - 1, edges[0]) == (expected, day_begins(first, zone))
        assert edges[-1] == day_begins(last + timedelta(days=1), zone)
        assert cut_days(edges) == sorted({edge - edge % PER_DAY for edge in edges})
    assert cut_days(bounds(first, last, ZoneInfo("UTC"), "day")) == []


def test_growth_and_shares_of_nothing_are_null() -> None:
    assert (growth(5, 0), growth(5, -3), share(5, 0)) == (None, None, None)
    assert (growth(150, 100), growth(0, 100), growth(2, 3)) == ("50.00", "-100.00", "-33.33")
    assert share(1, 3) == "33.33"


def test_programs_that_name_themselves_are_no_people() -> None:
    for agent in (
        None,
        "",
        "Googlebot/2.1",
        "curl/8.5.0",
        "python-requests/2.32",
        "HeadlessChrome",
    ):
        assert is_bot(agent)
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari"
    assert not is_bot(safari)
    # A telephone of that make.
    assert not is_bot("Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 Chrome/131")


def test_tables_hold_no_formulas() -> None:
    rows = [{"name": "=1+1", "net": "-5.00", "growth": {"net": None, "by": "@x, y"}}]
    assert (
        tables.csv_of(rows, ()) == b"name,net,growth.net,growth.by\r\n'=1+1,-5.00,,\"'@x, y\"\r\n"
    )
    assert tables.csv_of([], ("name", "net")) == b"name,net\r\n"
