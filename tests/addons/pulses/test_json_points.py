"""Points are read from JSON by columns as they would be one by one."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_pulses.batches import Batch
from bodega_pulses.json_points import JSON, NDJSON, read_json, read_lines
from bodega_sdk.errors import BadRequest, InvalidInput

BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.datetimes(
    datetime(1900, 1, 1), datetime(2200, 1, 1),
    timezones=st.integers(-1439, 1439).map(lambda n: timezone(timedelta(minutes=n))),
)  # fmt: skip
GOOD = st.fixed_dictionaries(
    {
        "product": st.sampled_from(("LAMP", "SOFA")),
        "timestamp": TIMES.map(datetime.isoformat),
        "value": st.integers(-(2**62), 2**62) | st.floats(-1e100, 1e100),
    },
    optional={"unit": st.sampled_from(("", "°C")), "source": st.sampled_from(("", "probe"))},
)
BAD: list[tuple[dict[str, Any], str]] = [
    ({"value": True}, "value"), ({"value": None}, "value"), ({"value": "1"}, "value"),
    ({"value": 1e101}, "value"), ({"product": 7}, "product"), ({"product": ""}, "product"),
    ({"unit": None}, "unit"), ({"source": "\n"}, "source"), ({"room": 7}, "room"),
    ({"timestamp": "2026-11-22T12:00:00"}, "timestamp"), ({"timestamp": 0}, "timestamp"),
    ({"timestamp": "yesterday"}, "timestamp"), ({"timestamp": "2026-11-22"}, "timestamp"),
]  # fmt: skip


def as_lines(points: list[dict[str, Any]]) -> bytes:
    return b"\n".join(map(orjson.dumps, points))


def seen(batch: Batch) -> list[tuple[Any, ...]]:
    """Return the points of a batch, one by one."""
    rows = zip(batch.of, batch.at, batch.values, strict=True)
    return [(*batch.heads[place], at, value) for place, at, value in rows]


def expected(point: dict[str, Any]) -> tuple[Any, ...]:
    at = (datetime.fromisoformat(point["timestamp"]) - BEGIN) // timedelta(microseconds=1)
    head = point["product"], point.get("unit", ""), point.get("source", "")
    return (*head, at, float(point["value"]))


@given(st.lists(GOOD, max_size=8))
def test_every_way_of_writing_points_is_read_alike(points: list[dict[str, Any]]) -> None:
    wanted = list(map(expected, points))
    lines = as_lines(points)
    assert seen(read_json(orjson.dumps(points))) == wanted
    assert seen(read_json(orjson.dumps({"points": points}))) == wanted
    assert seen(read_lines(lines)) == wanted
    # Not as plain as can be: blank lines, other line breaks, blanks around a point.
    assert seen(read_lines(b"\r\n \n" + lines.replace(b"\n", b" \r\n\n") + b"\n")) == wanted
    if len(points) == 1:
        assert seen(read_json(b" " + orjson.dumps(points[0]))) == wanted


@given(st.lists(GOOD, min_size=1, max_size=8), st.integers(1, 8))
def test_points_of_heads_that_are_known_are_read_as_any(
    points: list[dict[str, Any]], known: int
) -> None:
    first, behind = points[:known], points[known:] or points
    for form, write in ((JSON, orjson.dumps), (NDJSON, as_lines)):
        read = form.reader(form.read(write(first)).heads)
        assert seen(read(write(behind))) == list(map(expected, behind))


def test_of_heads_that_are_known_nothing_is_taken_that_is_not_otherwise() -> None:
    good = {"product": "LAMP", "timestamp": "2026-11-22T12:00:00Z", "value": 1, "unit": "C"}
    for form, write in ((JSON, lambda one: orjson.dumps([one])), (NDJSON, orjson.dumps)):
        read = form.reader([("LAMP", "C", "")])
        assert read(write(good)).heads == [("LAMP", "C", "")]
        several = form.reader([("LAMP", "C", ""), ("LAMP", "F", "")])
        assert seen(several(write(good)))[0][1] == "C"
        # Left out, a unit is not the one that is known.
        assert read(write({k: v for k, v in good.items() if k != "unit"})).heads[0][1] == ""
        for change, member in BAD:
            with pytest.raises(InvalidInput) as refused:
                read(write(good | change))
            assert refused.value.errors[0].field.endswith(member)


@pytest.mark.parametrize(("change", "member"), BAD)
@given(before=st.lists(GOOD, max_size=3), good=GOOD, behind=st.lists(GOOD, max_size=2))
def test_a_fault_is_named_with_its_point(
    change: dict[str, Any], member: str, before: Any, good: Any, behind: Any
) -> None:
    points = [*before, good | change, *behind]
    place = len(before)
    for told in (points, {"points": points}):
        with pytest.raises(InvalidInput) as refused:
            read_json(orjson.dumps(told))
        assert refused.value.errors[0].field == f"points.{place}.{member}"
    with pytest.raises(InvalidInput) as refused:
        read_lines(as_lines(points))
    assert refused.value.errors[0].field == f"line {place + 1}: {member}"


def test_lines_have_one_point_each() -> None:
    point = b'{"product": "LAMP", "timestamp": "2026-11-22T12:00:00Z", "value": 1}'
    torn = point.replace(b", ", b",\n")
    for lines, number in ((point + b" " + point, 1), (point + b"\n" + torn, 2), (torn, 1),
                          (point + b"\n[1", 2), (torn + b" " + point + point, 1)):  # fmt: skip
        with pytest.raises(BadRequest, match=f"Line {number} is not JSON"):
            read_lines(lines)
    found = read_lines(point + b"\n\n" + point.replace(b"LAMP", b"SOFA"))
    assert found.named(1, "product") == "line 3: product"
