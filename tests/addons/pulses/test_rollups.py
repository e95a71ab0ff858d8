"""Rollups are what a brute force over all points gives, in whatever order these came."""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega_pulses import api, checking, instants, retaining, rolling, sketches
from bodega_pulses.models import MODELS, Mark, Point, Rollup
from bodega_sdk import transaction
from bodega_sdk.errors import InvalidInput
from bodega_sdk.testing.client import Client

PULSES = "/api/v1/pulses"
ALL = "min,max,avg,sum,count,last,p95"
#: A week in which clocks are put back in Europe, and a day in which they were put forward.
AUTUMN = datetime(2026, 10, 22, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
#: Seconds of a week, now and then close together, and values that sums keep exactly.
POINT = st.tuples(
    st.integers(0, 7 * 86_400 - 1) | st.integers(259_100, 259_400),
    st.integers(-1000, 1000),
)
TOGETHER = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def bucket_of(time: datetime, resolution: str, zone: ZoneInfo) -> datetime:
    """Return where the bucket begins that a time falls into, the slow way."""
    if resolution == "1m":
        return time.replace(second=0, microsecond=0)
    if resolution == "1h":
        return time.replace(minute=0, second=0, microsecond=0)
    day = time.astimezone(zone)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def brute_force(
    points: dict[datetime, float], resolution: str, zone: ZoneInfo
) -> dict[str, dict[str, float]]:
    """Return bucket → aggregates, made of all points at once."""
    buckets: dict[datetime, list[float]] = {}
    for time in sorted(points):
        buckets.setdefault(bucket_of(time, resolution, zone), []).append(points[time])
    return {
        at.isoformat().replace("+00:00", "Z"): {
            "min": min(values), "max": max(values), "sum": sum(values), "count": len(values),
            "avg": sum(values) / len(values), "last": values[-1],
            "p95": sorted(values)[math.ceil(0.95 * len(values)) - 1],
        }
        for at, values in buckets.items()
    }  # fmt: skip


def asked(client: Client, product: UUID, **query: Any) -> list[dict[str, Any]]:
    """Return all rows of a question, page by page."""
    query = {"product": str(product), "aggregate": ALL} | query
    found = client.get(PULSES, params=query).expect(200)
    rows: list[dict[str, Any]] = found["pulses"]
    while found["next"]:
        path, _, text = found["next"].partition("?")
        found = client.get(path[path.index("/api") :], query_string=text).expect(200)
        rows += found["pulses"]
    return rows


def assert_alike(rows: list[dict[str, Any]], expected: dict[str, dict[str, float]]) -> None:
    assert [row["timestamp"] for row in rows] == list(expected)
    for row in rows:
        wanted = expected[row["timestamp"]]
        for name in ("min", "max", "sum", "count", "last"):
            assert row[name] == wanted[name], (row, wanted)
        assert math.isclose(row["avg"], wanted["avg"])
        assert math.isclose(row["p95"], wanted["p95"], rel_tol=sketches.ERROR * 1.0001)


def forget(*models: Any) -> None:
    for model in models or MODELS:
        model.delete().execute()


@contextmanager
def at(time: datetime) -> Iterator[None]:
    with time_machine.travel(time, tick=True):
        yield


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=TOGETHER)
@given(
    batches=st.lists(st.lists(POINT, min_size=1, max_size=25), min_size=1, max_size=5),
    late=st.lists(st.booleans(), min_size=5, max_size=5),
    resolution=st.sampled_from(("1m", "1h", "1d")),
    zone=st.sampled_from(ZONES),
    size=st.integers(1, 40),
)
def test_rollups_equal_brute_force_whatever_order_points_come_in(
    shop: Any, client: Client, lamp: UUID, batches: Any, late: Any, resolution: str, zone: str,
    size: int,
) -> None:  # fmt: skip
    with transaction():
        forget()
    truth: dict[datetime, float] = {}
    with at(AUTUMN + timedelta(days=8)):
        staff = client.as_user("staff")
        for batch, settled in zip(batches, late, strict=False):
            points = [(AUTUMN + timedelta(seconds=second), value) for second, value in batch]
            api.record([api.Pulse(lamp, time, value) for time, value in points])
            truth |= dict(points)
            if settled:
                rolling.settle()
        query = {"from": "2026-10-21T00:00:00Z", "to": "2026-10-30T00:00:00Z"}
        query |= {"timezone": zone} if resolution == "1d" else {}
        rows = asked(staff, lamp, resolution=resolution, page_size=size, **query)
    assert_alike(rows, brute_force(truth, resolution, ZoneInfo(zone)))
    assert list(checking.check()) == []
    assert not Mark.select().exists()


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=TOGETHER)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.lists(POINT, min_size=1, max_size=12)),
        min_size=2, max_size=6,
    ),
    kept=st.integers(1, 4),
)  # fmt: skip
def test_deleting_points_never_changes_a_rollup(
    shop: Any, client: Client, lamp: UUID, set_to: Callable[..., None], steps: Any, kept: int
) -> None:
    with transaction():
        forget()
    truth: dict[datetime, float] = {}
    time = AUTUMN + timedelta(days=7)
    for days, batch in steps:
        time += timedelta(days=days)
        with at(time):
            set_to("kept_days", kept)
            for second, value in batch:
                when = AUTUMN + timedelta(seconds=second)
                with suppress(InvalidInput):
                    api.record([api.Pulse(lamp, when, value)])
                    truth[when] = value
            # Kept longer from now on: what is gone is gone, and late points are refused.
            retaining.prune()
            kept += 1
    with at(time):
        staff = client.as_user("staff")
        query = {"from": "2026-10-21T00:00:00Z", "to": "2026-10-30T00:00:00Z"}
        for resolution in ("1m", "1h", "1d"):
            rows = asked(staff, lamp, resolution=resolution, **query)
            assert_alike(rows, brute_force(truth, resolution, ZoneInfo("UTC")))
        assert list(checking.check()) == []


def test_a_point_that_is_later_than_the_retention_is_refused_and_wrecks_nothing(
    shop: Any, staff: Client, lamp: UUID, set_to: Callable[..., None], today: datetime
) -> None:
    set_to("kept_days", 7)
    old = today - timedelta(days=6)
    staff_post = [
        {"product": str(lamp), "timestamp": (old + timedelta(minutes=n)).isoformat(), "value": n}
        for n in range(90)
    ]
    staff.post(PULSES, staff_post).expect(200)
    staff.post(PULSES, {"product": str(lamp), "timestamp": today.isoformat(), "value": 7})
    # Nobody has asked for rollups yet: deleting makes them first.
    assert Rollup.select().count() == 0
    set_to("kept_days", 3)
    retaining.prune()
    assert Point.select().count() == 1
    before = asked(staff, lamp, resolution="1h", **{"from": old.isoformat()})
    assert [row["count"] for row in before] == [60, 30, 1]
    for days in (3, 30, 0):
        set_to("kept_days", days)
        problem = staff.post(PULSES, staff_post[0] | {"value": -1}).expect(422)
        assert "not taken any more" in problem["errors"][0]["message"]
    assert asked(staff, lamp, resolution="1h", **{"from": old.isoformat()}) == before
    # A mark of what is gone, should there be one, makes nothing anew.
    with transaction():
        rolling.mark({1: rolling.minutes_of_times([instants.micros(old)])})
    assert asked(staff, lamp, resolution="1h", **{"from": old.isoformat()}) == before
    retaining.prune()
    assert list(checking.check()) == []


def test_gaps_are_filled_as_asked(staff: Client, lamp: UUID, today: datetime) -> None:
    points = [
        {"product": str(lamp), "timestamp": (today + timedelta(hours=n)).isoformat(), "value": n}
        for n in (1, 3, 6)
    ]
    staff.post(PULSES, points).expect(200)

    def filled(fill: str, name: str = "last", start: int = 2, **query: Any) -> list[Any]:
        span = {"from": (today + timedelta(hours=start)).isoformat(),
                "to": (today + timedelta(hours=8)).isoformat()}  # fmt: skip
        rows = asked(staff, lamp, resolution="1h", fill=fill, aggregate=name, **span, **query)
        return [row[name] for row in rows]

    assert filled("none") == [3, 6]
    for size in (1, 2, 1000):
        assert filled("null", page_size=size) == [None, 3, None, None, 6, None]
        assert filled("null", "count", page_size=size) == [0, 1, 0, 0, 1, 0]
        assert filled("zero", page_size=size) == [0, 3, 0, 0, 6, 0]
        assert filled("previous", page_size=size) == [1, 3, 3, 3, 6, 6]
    assert filled("previous", start=0) == [None, 1, 1, 3, 3, 3, 6, 6]
    days = asked(
        staff, lamp, resolution="1d", fill="previous", timezone="Europe/Berlin",
        **{"from": (today + timedelta(days=1)).isoformat(),
           "to": (today + timedelta(days=3)).isoformat()},
    )  # fmt: skip
    assert {row["sum"] for row in days} == {10}


def test_what_cannot_be_asked_is_refused_by_name(
    staff: Client, lamp: UUID, today: datetime
) -> None:
    good = {"product": str(lamp), "resolution": "1h"}
    assert staff.get(PULSES, params=good).expect(200)["pulses"] == []
    for bad, field in (
        ({"product": "x"}, "product"),
        ({"from": "yesterday"}, "from"), ({"to": "2026-11-22T10:00:00"}, "to"),
        ({"from": "9999-12-31T23:59:59Z"}, "from"), ({"from": today.isoformat(), "to":
         (today - timedelta(1)).isoformat()}, "from"),
        ({"resolution": "1w"}, "resolution"), ({"aggregate": "median"}, "aggregate"),
        ({"aggregate": "min,"}, "aggregate"), ({"resolution": "raw", "aggregate": "min"},
         "aggregate"), ({"resolution": "raw", "fill": "zero"}, "fill"),
        ({"fill": "linear"}, "fill"), ({"timezone": "Mars/Base", "resolution": "1d"}, "timezone"),
        ({"timezone": "Europe/Berlin"}, "timezone"), ({"page_size": 5001}, "page_size"),
        ({"cursor": "1"}, "cursor"), ({"cursor": "٣.٣"}, "cursor"), ({"cursor": "1.-1"}, "cursor"),
        ({"cursor": "9999999999999999999.1"}, "cursor"),
    ):  # fmt: skip
        query = {name: value for name, value in (good | bad).items() if value is not None}
        problem = staff.get(PULSES, params=query).expect(400)
        assert [one["field"] for one in problem["errors"]] == [field], bad


def test_raw_points_come_page_by_page_and_the_newest_by_itself(
    staff: Client, lamp: UUID, sofa: UUID, today: datetime
) -> None:
    points = [
        {"product": str(lamp), "timestamp": (today + timedelta(seconds=n // 2)).isoformat(),
         "value": n, "unit": "ab"[n % 2]}
        for n in range(20)
    ]  # fmt: skip
    random.Random(1).shuffle(points)
    staff.post(PULSES, points).expect(200)
    span = {"from": today.isoformat(), "to": (today + timedelta(days=1)).isoformat()}
    found = []
    cursor: dict[str, str] = {}
    while True:
        query = {"product": str(lamp), "page_size": 7} | span | cursor
        page = staff.get(PULSES, params=query).expect(200)
        found += [row["value"] for row in page["pulses"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"].partition("cursor=")[2].partition("&")[0]}
    assert found == list(range(20))
    only = staff.get(PULSES, params={"product": str(lamp), "unit": "b"} | span).expect(200)
    assert [row["value"] for row in only["pulses"]] == list(range(1, 20, 2))
    newest = staff.get(f"{PULSES}/latest", params={"product": str(lamp)}).expect(200)
    assert [(one["value"], one["unit"]) for one in newest["pulses"]] == [(18, "a"), (19, "b")]
    assert staff.get(f"{PULSES}/latest", params={"product": str(sofa)}).expect(200)["pulses"] == []
    listed = staff.get(f"{PULSES}/series", params={"product": str(lamp)}).expect(200)
    assert {one["last_value"] for one in listed["results"]} == {18, 19}
    assert listed["results"][0]["first_at"] == today.isoformat().replace("+00:00", "Z")


@given(st.lists(st.floats(-1e99, 1e99) | st.integers(-9, 9), min_size=1, max_size=80))
def test_a_quantile_is_within_one_per_cent_however_sketches_were_merged(
    values: list[float],
) -> None:
    half = len(values) // 2
    whole = sketches.sketch_of(values)
    parts = [sketches.stored(sketches.sketch_of(some)) for some in (values[half:], values[:half])]
    assert sketches.stored(sketches.merged(parts)) == sketches.stored(whole)
    exact = sorted(values)[math.ceil(0.95 * len(values)) - 1]
    found = sketches.quantile(whole, 0.95, min(values), max(values))
    assert math.isclose(found, exact, rel_tol=sketches.ERROR * 1.0001, abs_tol=1e-99)


def test_a_sketch_is_bounded_and_keeps_what_is_high() -> None:
    values = [1.03**n for n in range(5000)]
    text = sketches.stored(sketches.sketch_of(values))
    assert text.count(",") < 2 * sketches.MOST
    found = sketches.quantile(sketches.merged([text]), 0.95, values[0], values[-1])
    assert math.isclose(found, values[4749], rel_tol=sketches.ERROR)


def test_all_products_are_asked_about_where_there_are_few_series(
    staff: Client, lamp: UUID, sofa: UUID, today: datetime
) -> None:
    points = [
        {"product": str(one), "timestamp": today.isoformat(), "value": 1} for one in (lamp, sofa)
    ]
    staff.post(PULSES, points).expect(200)
    span = {"from": today.isoformat(), "resolution": "1d"}
    found = staff.get(PULSES, params=span).expect(200)["pulses"]
    assert {row["product"] for row in found} == {str(lamp), str(sofa)}
    assert len(staff.get(f"{PULSES}/latest").expect(200)["pulses"]) == 2
    many = [points[0] | {"source": f"s-{n}"} for n in range(100)]
    staff.post(PULSES, many).expect(200)
    problem = staff.get(PULSES, params=span).expect(400)
    assert problem["errors"][0]["field"] == "product"
    staff.get(PULSES, params=span | {"source": "s-1"}).expect(200)
