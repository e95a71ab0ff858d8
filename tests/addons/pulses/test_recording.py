"""Points are stored wholly or not at all, and once."""

import gzip
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from bodega_products.api import ProductRow, upsert
from bodega_pulses import api, partitions
from bodega_pulses.models import Mark, Point, Series
from bodega_sdk import database, now, transaction
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.recorder import Events

PULSES = "/api/v1/pulses"


def iso(time: datetime) -> str:
    """Return a time as clients write it."""
    return time.isoformat().replace("+00:00", "Z")


def point(product: Any, time: datetime, value: float, **members: Any) -> dict[str, Any]:
    return {"product": str(product), "timestamp": iso(time), "value": value} | members


def sent(client: Client, body: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("POST", PULSES, body=body, headers=named)


def test_points_come_alone_in_lists_and_in_lines(
    staff: Client, lamp: UUID, sofa: UUID, today: datetime
) -> None:
    events = Events()
    one = staff.post(PULSES, point("LAMP", today, 20, unit="°C", source="probe")).expect(200)
    assert one == {"created": 1, "changed": 0, "unchanged": 0}
    several = [point(lamp, today + timedelta(minutes=n), n, unit="°C") for n in range(5)]
    assert staff.post(PULSES, several).expect(200)["created"] == 5
    body = {"points": [point(sofa, today, 1.5), point(sofa, today + timedelta(days=1), 2)]}
    assert staff.post(PULSES, body).expect(200)["created"] == 2
    lines = b"\n\n".join(orjson.dumps(point(sofa, today, n, unit="%")) for n in (1, 2, 3)) + b"\n"
    packed = gzip.compress(lines)
    found = sent(staff, packed, Content_Type="application/x-ndjson", Content_Encoding="gzip")
    # Of three of one time the last is stored.
    assert found.expect(200) == {"created": 1, "changed": 0, "unchanged": 2}
    assert Point.select().count() == 9
    assert Series.select().count() == 4
    told = [event.data for event in events.of("pulse.recorded")]
    assert [one["points"] for one in told] == [1, 5, 2, 1]
    assert told[1] | {"product_id": 0} == {
        "product": str(lamp), "product_id": 0, "timestamp": iso(today + timedelta(minutes=4)),
        "value": 4.0, "unit": "°C", "source": "", "points": 5, "products": 1,
    }  # fmt: skip
    assert told[3]["value"] == 3.0


def test_a_packed_body_has_few_members(staff: Client, lamp: UUID, today: datetime) -> None:
    line = orjson.dumps(point(lamp, today, 1)) + b"\n"
    told = {"Content_Type": "application/x-ndjson", "Content_Encoding": "gzip"}
    assert sent(staff, gzip.compress(line) * 3, **told).expect(200)["created"] == 1
    # What is behind each member is copied: a million of them would take hours.
    problem = sent(staff, gzip.compress(b"") * 1_000_000, **told).expect(400)
    assert problem["errors"][0]["message"].startswith("The packed body has more than 50 members")


def test_the_same_point_changes_nothing_and_another_value_takes_its_place(
    staff: Client, lamp: UUID, today: datetime
) -> None:
    points = [point(lamp, today + timedelta(seconds=n), n) for n in range(50)]
    assert staff.post(PULSES, points).expect(200)["created"] == 50
    events, marks = Events(), Mark.select().count()
    assert staff.post(PULSES, points).expect(200) == {"created": 0, "changed": 0, "unchanged": 50}
    assert list(events) == []
    assert Mark.select().count() == marks
    points[7]["value"] = -1
    points += [point(lamp, today + timedelta(milliseconds=500), 9), points[7] | {"value": -2}]
    assert staff.post(PULSES, points).expect(200) == {"created": 1, "changed": 1, "unchanged": 50}
    stored = dict(Point.select(Point.at, Point.value).tuples())
    assert sorted(stored.values())[:2] == [-2, 0]
    assert len(stored) == 51
    assert events.of("pulse.recorded")[0].data["points"] == 2


def test_a_batch_with_one_bad_point_is_refused_wholly_and_says_where(
    staff: Client, lamp: UUID, today: datetime, set_to: Any
) -> None:
    good = point(lamp, today, 1)
    for bad, field in (
        (good | {"value": "1"}, "points.1.value"),
        (good | {"value": True}, "points.1.value"),
        (good | {"value": 1e200}, "points.1.value"),
        (good | {"timestamp": "2026-11-22T10:00:00"}, "points.1.timestamp"),
        (good | {"timestamp": 7}, "points.1.timestamp"),
        (good | {"timestamp": iso(now() + timedelta(days=3))}, "points.1.timestamp"),
        (good | {"timestamp": "1970-01-01T00:00:00Z"}, "points.1.timestamp"),
        (good | {"unit": None}, "points.1.unit"),
        (good | {"unit": "x" * 51}, "points.1.unit"),
        (good | {"source": "a\u0000"}, "points.1.source"),
        (good | {"colour": "red"}, "points.1.colour"),
        (good | {"product": "NOTHING"}, "points.1.product"),
        ({"product": str(lamp)}, "points.1.timestamp"),
        ([], "points.1"),
        ("text", "points.1"),
    ):  # fmt: skip
        problem = staff.post(PULSES, [good, bad]).expect(422)
        assert field in [one["field"] for one in problem["errors"]], (bad, problem)
    lines = json.dumps(good).encode() + b"\n\n" + json.dumps(good | {"value": None}).encode()
    problem = sent(staff, lines, Content_Type="application/x-ndjson").expect(422)
    assert [one["field"] for one in problem["errors"]] == ["line 3: value"]
    for body in (b"{", b"7", b"\xff", b'{"points": 3}'):
        sent(staff, body, Content_Type="application/json").expect(400)
    sent(staff, b"{}\n{", Content_Type="application/x-ndjson").expect(400)
    sent(staff, b"{}", Content_Type="text/csv").expect(415)
    set_to("points_per_request", 3)
    staff.post(PULSES, [good] * 4).expect(413)
    assert Point.select().count() == Series.select().count() == 0


def test_a_packed_body_is_unpacked_as_far_as_it_may_be(
    staff: Client, lamp: UUID, today: datetime
) -> None:
    body = json.dumps(point(lamp, today, 1)).encode()
    two = gzip.compress(b"[" + body) + gzip.compress(b"]") + bytes(8)
    json_ = {"Content_Type": "application/json", "Content_Encoding": "gzip"}
    assert sent(staff, two, **json_).expect(200)["created"] == 1
    bomb = gzip.compress(b" " * (40 << 20))
    sent(staff, bomb, **json_).expect(413)
    sent(staff, bomb[:1000], **json_).expect(400)
    sent(staff, b"not gzip", **json_).expect(400)
    sent(staff, body, **json_ | {"Content_Encoding": "br"}).expect(415)


def test_only_who_may_records_and_reads(client: Client, shop: Any) -> None:
    client.post(PULSES, []).expect(401)
    client.as_user("user").post(PULSES, []).expect(403)
    client.as_user("vendor").get(PULSES).expect(403)
    client.as_user("staff").post(PULSES, []).expect(200)


def test_of_many_products_in_one_batch_one_event_tells(
    shop: Any, staff: Client, today: datetime
) -> None:
    with transaction():
        upsert([ProductRow(f"P-{n}", {"name": f"P {n}", "price_minor": 1}) for n in range(101)], "")
    events = Events()
    staff.post(PULSES, [point(f"P-{n}", today, n) for n in range(101)]).expect(200)
    (event,) = events.of("pulse.recorded")
    assert (event.key, event.data["points"], event.data["products"]) == ("", 101, 101)
    assert event.data["product"] is None


def test_other_addons_record_by_the_api(shop: Any, lamp: UUID, today: datetime) -> None:
    found = api.record([api.Pulse(lamp, today, 3.5, "kg"), api.Pulse(lamp, today, 4, "kg")])
    assert (found.created, found.unchanged) == (1, 1)
    with pytest.raises(Exception, match=r"points\.0\.value"):
        api.record([api.Pulse(lamp, today, float("nan"))])


def test_series_are_bounded(staff: Client, lamp: UUID, today: datetime, set_to: Any) -> None:
    set_to("most_series", 2)
    staff.post(PULSES, [point(lamp, today, 1, unit=unit) for unit in "ab"]).expect(200)
    staff.post(PULSES, point(lamp, today, 1, unit="c")).expect(409)
    staff.post(PULSES, point(lamp, today, 2, unit="b")).expect(200)


def test_points_lie_in_the_partition_of_their_month(
    shop: Any, engine: str, staff: Client, lamp: UUID, today: datetime
) -> None:
    if engine == "sqlite":
        assert partitions.coming() == []
        assert not partitions.partitioned()
        return
    ago = today - timedelta(days=40)
    # As after a backup was restored: what is there lies in the rest, and nobody saw the month.
    staff.post(PULSES, point(lamp, today, 0, unit="none")).expect(200)
    month = partitions.there()[-1]
    database.execute_sql(f"DROP TABLE {partitions.name_of(month)}")
    partitions._seen.clear()
    number = Series.get().number
    Point.insert(series=number, at=int(today.timestamp()) * 1_000_000, value=5).execute()
    rest = "SELECT count(*) FROM ONLY pulses_point_rest"
    assert database.execute_sql(rest).fetchone()[0] == 1
    staff.post(PULSES, [point(lamp, ago, 1), point(lamp, today, 2)]).expect(200)
    assert database.execute_sql(rest).fetchone()[0] == 0
    assert Point.select().count() == 3
    assert {(ago.year, ago.month), month} <= set(partitions.there())
    partitions.make(partitions.coming())
    assert len(partitions.there()) >= 4
    assert partitions.coming() == []
