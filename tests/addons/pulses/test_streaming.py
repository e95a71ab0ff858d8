"""A body that is recorded while it is read comes to what it would at once."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega_products.models import Product
from bodega_pulses import batches, json_points, line_protocol, partitions, recording, streaming
from bodega_pulses.batches import Form
from bodega_pulses.models import Mark, Point, Series
from bodega_sdk import now, transaction
from bodega_sdk.errors import InvalidInput, Problem, TooLarge
from bodega_sdk.testing.recorder import Events

_UNITS = count()


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PIECE", 300)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each body was recorded while it was read, to its end."""
    found: list[bool] = []
    record = streaming._record

    def noted(form: Form, pieces: list[bytes]) -> Any:
        found.append(False)
        result = record(form, pieces)
        found[-1] = True
        return result

    monkeypatch.setattr(streaming, "_record", noted)
    yield found
    if not partitions.partitioned():
        assert found == []


Row = tuple[str, int, float, str]


def as_json(rows: list[Row], separators: tuple[str, str] = (", ", ": ")) -> bytes:
    return json.dumps(list(map(_point, rows)), separators=separators).encode()


def as_lines(rows: list[Row]) -> bytes:
    return b"\n".join(orjson.dumps(_point(row)) for row in rows) + b"\n"


def as_influx(rows: list[Row]) -> bytes:
    lines = (
        f"m,product={product},unit={unit},source=s value={value!r} {at}"
        for product, at, value, unit in rows
    )
    return "\n".join(lines).encode()


def _point(row: Row) -> dict[str, Any]:
    product, at, value, unit = row
    told = datetime.fromtimestamp(at / 1e6).astimezone().isoformat()
    return {"product": product, "timestamp": told, "value": value, "unit": unit, "source": "s"}


WAYS: list[tuple[Any, Form]] = [
    (as_json, json_points.JSON),
    (lambda rows: as_json(rows, (",", ":")), json_points.JSON),
    (as_lines, json_points.NDJSON),
    (as_influx, line_protocol.form("us", datetime.fromisoformat("2026-11-22T12:00:00Z"))),
]


def begun(products: list[UUID], begin: datetime, unit: str = "C") -> None:
    """Have series of products, with a point long before."""
    at = int((begin - timedelta(days=2)).timestamp()) * 1_000_000
    rows = [(str(product), at, 1.0, unit) for product in products]
    assert streaming.record(json_points.NDJSON, as_lines(rows)).created == len(rows)


def stored(unit: str) -> dict[tuple[UUID, int], float]:
    mine = {one.number: one.product for one in Series.select().where(Series.unit == unit)}
    rows = Point.select(Point.series, Point.at, Point.value).tuples()
    return {(mine[number], at): value for number, at, value in rows if number in mine}


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    points=st.lists(
        st.tuples(st.booleans(), st.integers(0, 40), st.integers(-5, 5)), min_size=1, max_size=60
    ),
    ordered=st.booleans(),
    way=st.sampled_from(range(len(WAYS))),
)
def test_bodies_come_to_what_they_hold(
    shop: Any, lamp: UUID, sofa: UUID, today: datetime,
    points: list[tuple[bool, int, int]], ordered: bool, way: int,
) -> None:  # fmt: skip
    if ordered:
        points.sort(key=lambda one: one[1])
    unit, begin = f"u{next(_UNITS)}", int(today.timestamp()) * 1_000_000
    rows = [
        (str(lamp if at_lamp else sofa), begin + at * 1_000_000, value / 2, unit)
        for at_lamp, at, value in points
    ]
    write, form = WAYS[way]
    wanted = {(UUID(product), at): value for product, at, value, _ in rows}
    begun([lamp, sofa], today, unit)
    found = streaming.record(form, write(rows))
    assert {key: value for key, value in stored(unit).items() if key[1] >= begin} == wanted
    assert found == recording.Recorded(len(wanted), 0, len(rows) - len(wanted))
    again = streaming.record(form, write(rows))
    assert again == recording.Recorded(0, 0, len(rows))


def rows_of(products: list[UUID], begin: datetime, seconds: int) -> list[Row]:
    at = int(begin.timestamp()) * 1_000_000
    return [
        (str(product), at + second * 1_000_000, float(second), "C")
        for second in range(seconds)
        for product in products
    ]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_what_is_in_order_and_new_is_recorded_while_it_is_read(
    shop: Any, lamp: UUID, sofa: UUID, today: datetime, way: int, streamed: list[bool]
) -> None:
    write, form = WAYS[way]
    events, rows = Events(), rows_of([lamp, sofa], today, 100)
    # The series are made first.
    assert streaming.record(form, write(rows)) == recording.Recorded(200, 0, 0)
    assert streamed == ([False] if partitions.partitioned() else [])
    later = rows_of([lamp, sofa], today + timedelta(minutes=5), 100)
    assert streaming.record(form, write(later)).created == 200
    assert streamed[1:] == ([True] if partitions.partitioned() else [])
    told = events.of("pulse.recorded")
    assert [one.data["points"] for one in told] == [100, 100, 100, 100]
    assert told[-1].data["timestamp"] == (today + timedelta(seconds=399)).isoformat().replace(
        "+00:00", "Z"
    )
    marked = {(one.first, one.behind) for one in Mark.select().where(Mark.first > later[0][1] - 1)}
    minute, first = 60_000_000, later[0][1]
    assert marked == {(first, first + 2 * minute)}
    assert Point.select().count() == 400
    named = [
        ("SOFA" if row[0] == str(sofa) else row[0], *row[1:])
        for row in rows_of([lamp, sofa], today + timedelta(minutes=15), 700)
    ]
    assert streaming.record(form, write(named)).created == 1400
    assert streamed[2:] == ([True] if partitions.partitioned() else [])
    # More than ten minutes: marked behind the points, by the minutes they are in.
    marked = {(one.first, one.behind) for one in Mark.select().where(Mark.first > named[0][1] - 1)}
    assert marked == {(named[0][1], named[0][1] + 12 * minute)}


@pytest.mark.parametrize(
    ("change", "created", "changed"),
    [
        ("another series", 201, 0), ("not in order", 200, 0), ("too early", 200, 0),
        ("twice", 199, 0),
        ("twice, in two pieces", 200, 0), ("there already", 199, 1), ("empty lines", 200, 0),
    ],
)  # fmt: skip
def test_what_is_otherwise_is_recorded_all_the_same(
    shop: Any, lamp: UUID, sofa: UUID, today: datetime, change: str, created: int, changed: int,
    streamed: list[bool],
) -> None:  # fmt: skip
    begun([lamp, sofa], today)
    rows, body = rows_of([lamp, sofa], today, 100), b""
    if change == "another series":
        rows.insert(101, (str(lamp), rows[100][1], 7.0, "F"))
    elif change == "not in order":
        rows[40], rows[160] = rows[160], rows[40]
    elif change == "too early":
        rows[100:100] = rows[:2]
        del rows[:2]
    elif change == "twice":
        rows[101] = rows[99]
    elif change == "twice, in two pieces":
        rows[4:4] = [rows[3]] * 9
    elif change == "there already":
        streaming.record(json_points.NDJSON, as_lines([(*rows[100][:2], -1.0, "C")]))
    elif change == "empty lines":
        body = as_lines(rows[:100]) + b"\n" * 700 + as_lines(rows[100:])
    found = streaming.record(json_points.NDJSON, body or as_lines(rows))
    assert (found.created, found.changed) == (created, changed)
    if change != "twice" and partitions.partitioned():
        assert streamed == [change == "not in order"]
    assert len(stored("C")) == 2 + len({row[:2] for row in rows if row[3] == "C"})
    assert all(stored("C")[UUID(row[0]), row[1]] == row[2] for row in rows if row[3] == "C")


def test_what_is_wrong_somewhere_is_told_by_its_place_and_nothing_is_stored(
    shop: Any, lamp: UUID, today: datetime, set_to: Any
) -> None:
    begun([lamp], today)
    marks = Mark.select().count()
    for place in (0, 100, 199):
        rows: list[Any] = rows_of([lamp], today, 200)
        rows[place] = ("LOST", *rows[place][1:])
        with pytest.raises(InvalidInput) as refused:
            streaming.record(json_points.NDJSON, as_lines(rows))
        assert [one.field for one in refused.value.errors] == [f"line {place + 1}: product"]
        points = [_point(row) for row in rows_of([lamp], today, 200)]
        points[place]["value"] = "warm"
        with pytest.raises(InvalidInput) as refused:
            streaming.record(json_points.JSON, orjson.dumps(points))
        assert [one.field for one in refused.value.errors] == [f"points.{place}.value"]
        lines = as_influx(rows_of([lamp], today, 200)).split(b"\n")
        lines[place] = b"m,product=LAMP value=1 " + b"9" * 18
        with pytest.raises(InvalidInput) as refused:
            streaming.record(WAYS[3][1], b"\n".join(lines))
        assert [one.field for one in refused.value.errors] == [f"line {place + 1}: timestamp"]
    with pytest.raises(Problem, match="not JSON"):
        streaming.record(json_points.JSON, as_json(rows_of([lamp], today, 200))[:-9] + b"x]")
    set_to("points_per_request", 150)
    with pytest.raises(TooLarge, match="200 points; 150"):
        streaming.record(json_points.NDJSON, as_lines(rows_of([lamp], today, 200)))
    assert Point.select().count() == 1
    assert Mark.select().count() == marks


def test_a_product_that_is_gone_is_told_of(shop: Any, lamp: UUID, today: datetime) -> None:
    begun([lamp], today)
    with transaction():
        Product.update(deleted_at=now()).where(Product.id == lamp).execute()
    with pytest.raises(InvalidInput) as refused:
        streaming.record(json_points.NDJSON, as_lines(rows_of([lamp], today, 200)))
    assert refused.value.errors[0].field == "line 1: product"
    assert Point.select().count() == 1


def test_lines_without_times_are_all_of_now(shop: Any, lamp: UUID, streamed: list[bool]) -> None:
    form = WAYS[3][1]
    lines = b"\n".join(b"m,product=LAMP,source=s value=%d" % number for number in range(100))
    assert streaming.record(form, lines) == recording.Recorded(1, 0, 99)
    assert [value for (value,) in Point.select(Point.value).tuples()] == [99.0]


def test_texts_that_look_like_two_points_are_read_as_they_are(
    shop: Any, lamp: UUID, today: datetime
) -> None:
    points = [_point(row) | {"source": "},{" * 20} for row in rows_of([lamp], today, 30)]
    found = streaming.record(json_points.JSON, orjson.dumps(points))
    assert found.created == 30
    assert [one.source for one in Series.select()] == ["},{" * 20]
