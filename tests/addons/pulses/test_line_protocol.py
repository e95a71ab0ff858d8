"""A real InfluxDB client writes to a real server, and lines are read by name."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from influxdb_client import InfluxDBClient
from influxdb_client import Point as InfluxPoint
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions
from influxdb_client.rest import ApiException

from bodega_pulses import line_protocol
from bodega_pulses.models import Point
from bodega_sdk.errors import InvalidInput
from bodega_sdk.testing.deployment import Deployment

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WRITE = "/api/v1/pulses/influx/api/v2/write"


def test_lines_are_read_as_influxdb_reads_them() -> None:
    lines = rb"""# a comment
temperature,product=LAMP,unit=C value=21.5 1700000000
temperature,product=LAMP,unit=C,source=probe\ 7 value=3i 1700000001

my\ room,product=A\,B\=C value=-1e-3
"""
    found = line_protocol.read(lines, "s", NOW)
    assert found.heads == [
        ("LAMP", "C", "temperature"), ("LAMP", "C", "probe 7"), ("A,B=C", "", "my room"),
    ]  # fmt: skip
    assert found.of == [0, 1, 2]
    assert found.values == [21.5, 3.0, -0.001]
    now = int(NOW.timestamp()) * 1_000_000
    assert found.at == [1_700_000_000_000_000, 1_700_000_001_000_000, now]
    assert found.named(2, "value") == "line 5: value"
    for precision, text in (("ns", "1700000000123456789"), ("us", "1700000000123456")):
        line = f"m,product=P value=1 {text}".encode()
        assert line_protocol.read(line, precision, NOW).at == [1_700_000_000_123_456]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("m value=1 1", "product"), ("m,product= value=1 1", "tags"), ("m,product=P 1", "fields"),
        ("m,product=P,room=7 value=1 1", "room"), ("m,product=P,product=Q value=1 1", "product"),
        ("m,product=P value=1,other=2 1", "value"), ("m,product=P other=2 1", "fields"),
        ("m,product=P value=true 1", "value"), ('m,product=P value="text" 1', "value"),
        ("m,product=P value=nan 1", "value"), ("m,product=P value=1e200 1", "value"),
        ("m,product=P value=1 1.5", "timestamp"), ("m,product=P value=1 99999999999999999999",
         "timestamp"), ("m", ""), ("m,product=P value=1 1 1", ""), ("m\\", ""),
        (",product=P value=1 1", "measurement"), ("m,product=P\x01 value=1 1", "product"),
        ("m,product=" + "P" * 101 + " value=1 1", "product"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_point_is_refused_by_name(line: str, field: str) -> None:
    good = "m,product=P value=1 1\n"
    with pytest.raises(InvalidInput) as refused:
        line_protocol.read((good + line).encode(), "s", NOW)
    (error,) = refused.value.errors
    assert error.field == (f"line 2: {field}" if field else "line 2")
    assert error.message
    assert error.found is not None


def test_plain_lines_are_read_alike_whether_by_columns_or_one_by_one() -> None:
    plain = "\n\n" + "\n".join(
        f"m,product=P{n % 3} value={n / 7} 17000000{n:02}" for n in range(60)
    )
    fast, slow = (line_protocol.read((text + plain).encode(), "s", NOW) for text in ("", "# x"))
    assert (fast.heads, fast.of, fast.at, fast.values) == (
        slow.heads,
        slow.of,
        slow.at,
        slow.values,
    )
    assert fast.named(7, "value") == slow.named(7, "value") == "line 10: value"
    for value in ("1_0", "nan", "1e200", "--1", "", "e"):
        with pytest.raises(InvalidInput):
            line_protocol.read(f"m,product=P value={value} 1".encode(), "s", NOW)


_PIECES = st.sampled_from(
    ["m", "m,product=P", "m,product=Q,unit=C", ",product=P", "]", "[", "],[", ",", " ", "  ", "\t",
     " value=", " value=1", " value=1.5e3", " value=-.5", " value=3i", " value=[1]", " value=true",
     " value=null", "value=", " 1", " 17", " -3", " 01", " 1.0", " 1e3", "\n", "\n", "\r\n", '"',
     "\\", "#", " 99999999999999999999", "\x01", "é", " value=1e999", " value=1 1\n"]
)  # fmt: skip
_LINE = st.tuples(
    st.sampled_from(["m,product=P", "n,product=Q", "m"]),
    st.sampled_from(["1", "-2.5", "1e3", ".5"]),
    st.sampled_from(["1", "170", "-4", "007"]),
).map(lambda one: f"{one[0]} value={one[1]} {one[2]}\n")  # fmt: skip


@settings(max_examples=600)
@given(st.lists(st.one_of(_LINE, _LINE, _PIECES), max_size=12).map("".join))
@example("m,product=P\n,5,7")
@example("m,product=P value=1\t 1")
def test_what_is_read_by_columns_is_read_so_line_by_line(text: str) -> None:
    text = text.replace("\r\n", "\n").strip("\n")
    quick = line_protocol._Reader("us", 0)._by_columns(text.encode(), 1)
    if quick is not None:
        slow = line_protocol._Reader("us", 0)._by_lines(text, 1)
        assert ([*quick.at], quick.span) == (slow.at, slow.span)
        assert [*quick.values] == slow.values
        assert [quick.heads[of] for of in quick.of] == [slow.heads[of] for of in slow.of]


def test_lines_that_are_no_text_are_refused() -> None:
    for lines in (b"\n\nm,product=P value=1 1\n\xff", b"\r\n\r\nm,product=P value=1 1\r\n\xff"):
        with pytest.raises(InvalidInput) as refused:
            line_protocol.read(lines, "s", NOW)
        assert refused.value.errors[0].field == "line 4"


@pytest.mark.slow
def test_a_real_influxdb_client_writes_packed_batches_of_thousands(
    deployment: Deployment,
) -> None:
    deployment.up()
    admin = deployment.log_in()
    made = {"name": "Lamp", "sku": "LAMP", "price": "9.99"}
    _, lamp, _ = deployment.call("POST", "/api/v1/products", made, admin)
    body = {"name": "probe", "scopes": ["pulses.write"]}
    status, key, _ = deployment.call("POST", "/api/v1/api-keys", body, admin)
    assert status == 201, key
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
    address = f"http://127.0.0.1:{deployment.port}/api/v1/pulses/influx"
    with InfluxDBClient(address, key["key"], org="-", enable_gzip=True) as client:
        assert client.ping()
        options = WriteOptions(batch_size=5000, flush_interval=1000)
        failed: list[Any] = []
        with client.write_api(options, error_callback=lambda *told: failed.append(told)) as api:
            for second in range(15_000):
                point = InfluxPoint("temperature").tag("product", lamp["id"]).tag("unit", "°C")
                point.field("value", second % 100 + 0.5).time(begin + timedelta(seconds=second))
                api.write("pulses", record=point)
        assert not failed
        api = client.write_api(SYNCHRONOUS)
        again = InfluxPoint("temperature").tag("product", "LAMP").tag("unit", "°C")
        api.write("pulses", record=again.field("value", -1).time(begin))
        with pytest.raises(ApiException) as refused:
            api.write("pulses", record="temperature,product=NONE value=1")
        assert refused.value.status == 400
        assert "line 1: product" in refused.value.message or "line 1" in str(refused.value.body)
    with (
        InfluxDBClient(address, "bodega_nobody", org="-") as stranger,
        pytest.raises(ApiException) as refused,
    ):
        stranger.write_api(SYNCHRONOUS).write("pulses", record="m,product=LAMP value=1")
    assert refused.value.status == 401
    query = f"product={lamp['id']}&from={begin.isoformat().replace('+', '%2B')}"
    query += "&resolution=1d&aggregate=count,min,max"
    status, found = deployment.get(f"/api/v1/pulses?{query}", admin)
    assert status == 200, found
    assert sum(row["count"] for row in found["pulses"]) == 15_000
    assert min(row["min"] for row in found["pulses"]) == -1
    assert max(row["max"] for row in found["pulses"]) == 99.5


def test_lines_are_recorded_over_http(staff: Any, lamp: Any, today: datetime) -> None:
    begin = int(today.timestamp())
    lines = "\n".join(f"m,product=LAMP value={n} {begin + n}" for n in range(100))
    answer = staff.request(
        "POST", WRITE, body=gzip.compress(lines.encode()), params={"org": "a", "precision": "s"},
        headers={"Content-Encoding": "gzip", "Authorization": f"Token {staff.token}"},
    )  # fmt: skip
    answer.expect(204)
    assert Point.select().count() == 100
    problem = staff.request("POST", WRITE, body=b"m,product=LAMP").expect(400)
    assert problem["message"].startswith("Nothing of the batch was stored: 'line 1'")
    staff.request("POST", WRITE, body=b"", params={"precision": "h"}).expect(400)
    staff.request("POST", WRITE, headers={"Authorization": "Token"}).expect(401)
    assert Point.select().count() == 100
