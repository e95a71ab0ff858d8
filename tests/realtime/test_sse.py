"""Server-sent events: the same channels over plain HTTP."""

import json
import socket as sockets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import EventRow
from bodega.shop import Shop
from bodega_realtime import sse
from bodega_realtime.messages import Close
from bodega_sdk import now, revoke_session, transaction

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"])
KEY = "0190a000-0000-7000-8000-000000000001"
PATH = f"/sse?channel=imports.{KEY}"


@dataclass
class Stream:
    """A client's end of a stream."""

    answer: HTTPResponse

    def next(self) -> dict[str, Any]:
        """Return the next event: its members, its data read."""
        found: dict[str, Any] = {}
        while not found.get("data"):
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            name, _, value = line.rstrip("\n").partition(": ")
            if name in ("event", "id", "data"):
                found[name] = json.loads(value) if name == "data" else value
        return found

    def numbers(self, count: int) -> list[int]:
        """Return the numbers that the publisher put into the next events."""
        return [self.next()["data"]["data"]["number"] for _ in range(count)]

    def end(self) -> int | None:
        """Read to the end; return the code that came last."""
        rest = self.answer.read().decode()
        _, found, data = rest.rpartition("event: end\ndata: ")
        return int(json.loads(data)["code"]) if found else None


Listen = Callable[..., Stream]


@pytest.fixture
def ask(door: Any) -> Iterator[Callable[..., HTTPResponse]]:
    """Send a request, with the token unless told otherwise."""
    with ExitStack() as stack:

        def send(path: str = PATH, method: str = "GET", **headers: str) -> HTTPResponse:
            connection = HTTPConnection("127.0.0.1", door.port, timeout=5)
            stack.callback(connection.close)
            named = {"Authorization": f"Bearer {door.token}", **headers}
            told = {name.replace("_", "-"): text for name, text in named.items() if text}
            connection.request(method, path, headers=told)
            return connection.getresponse()

        yield send


@pytest.fixture
def listen(ask: Callable[..., HTTPResponse]) -> Listen:
    """Open a stream."""

    def begin(path: str = PATH, **headers: str) -> Stream:
        answer = ask(path, **headers)
        assert answer.status == 200, answer.read()
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        return Stream(answer)

    return begin


def test_events_stream_over_http_and_the_last_id_resumes_them(
    shop: Shop, listen: Listen, publisher: Any
) -> None:
    stream = listen()
    begun = stream.next()
    assert begun["event"] == "subscribed"
    assert begun["id"] == f"{begun['data']['offset']}:{shop.shop_id}"
    publisher.publish(3)
    events = [stream.next() for _ in range(3)]
    assert [event["data"]["data"]["number"] for event in events] == [0, 1, 2]
    assert events[0]["data"]["channel"] == f"imports.{KEY}"
    assert events[0]["id"] == f"{events[0]['data']['offset']}:{shop.shop_id}"
    returning = listen(Last_Event_ID=events[0]["id"])
    told = returning.next()
    assert (told["event"], told["data"]["recovered"]) == ("recovered", True)
    assert told["id"] == events[0]["id"]
    publisher.publish(1)
    assert returning.numbers(3) == [1, 2, 3]
    EventRow.delete().where(EventRow.offset <= events[1]["data"]["offset"]).execute()
    for lost in (events[0]["id"], "7:another-shop", "nonsense", f"{10**30}:{shop.shop_id}"):
        told = listen(Last_Event_ID=lost).next()
        assert (told["event"], told["data"]["recovered"]) == ("recovered", False), lost


def test_several_channels_are_resumed_together_in_order_and_each_event_once(
    listen: Listen, publisher: Any
) -> None:
    several = f"{PATH}&channel=imports.b"
    stream = listen(f"{several}&offset=0")
    assert stream.next()["event"] == "recovered"
    publisher.publish(2)
    publisher.publish(2, key="b")
    publisher.publish(1, key="c")
    publisher.publish(1)
    events = [stream.next() for _ in range(5)]
    assert [event["data"]["data"]["number"] for event in events] == [0, 1, 2, 3, 5]
    again = listen(several, Last_Event_ID=events[1]["id"])
    assert again.next()["data"]["recovered"] is True
    assert [again.next() for _ in range(3)] == events[2:]


@ONE_ENGINE
def test_what_cannot_be_had_is_a_problem(ask: Any, issue: Any, door: Any) -> None:
    def refused(path: str = PATH, **headers: str) -> int:
        answer = ask(path, **headers)
        assert answer.headers["Content-Type"] == "application/problem+json"
        body = json.loads(answer.read())
        assert (body["status"], body["instance"]) == (answer.status, "/sse")
        return int(answer.status)

    assert refused(Authorization="") == refused(Authorization="Bearer nonsense") == 401
    assert refused(Authorization=f"Bearer {issue('user')}") == 403
    assert refused("/sse?channel=nothing.x") == 404
    assert refused("/sse?channel=imports.x&channel=nothing.x") == 404
    for query in ("", "?channel=", "?channel=%00", "?channel=imports.x&token=y", "?a=1",
                  "?channel=imports.x&offset=z", "?channel=imports.x&conflate=1", "?channel=%ff",
                  "?" + "&".join(f"channel=imports.{n}" for n in range(21))):  # fmt: skip
        assert refused(f"/sse{query}") == 400, query
    assert ask(Authorization="").headers["WWW-Authenticate"] == "Bearer"
    for method in ("POST", "DELETE", "HEAD"):
        assert ask(method=method).status == 405
    for junk in (b"\x16\x03\x01 no HTTP\r\n\r\n", b"GET /sse\r\n\r\n",
                 b"POST /sse HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"):  # fmt: skip
        with sockets.create_connection(("127.0.0.1", door.port)) as client:
            client.sendall(junk)
            assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


@ONE_ENGINE
def test_a_browser_of_an_allowed_origin_may_read_it(shop: Shop, ask: Any) -> None:
    origin = {"Origin": "https://front.example"}
    assert ask(**origin).headers["Access-Control-Allow-Origin"] is None
    object.__setattr__(
        shop, "settings", replace(shop.settings, cors_origins=tuple(origin.values()))
    )
    preflight = ask(
        method="OPTIONS", Authorization="", Access_Control_Request_Method="GET", **origin
    )
    assert preflight.status == 204
    assert "Last-Event-ID" in preflight.headers["Access-Control-Allow-Headers"]
    for answer in (preflight, ask(**origin), ask("/sse", **origin)):
        assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert answer.headers["Vary"] == "Origin"
    other = ask(Origin="https://elsewhere.example")
    assert other.headers["Access-Control-Allow-Origin"] is None
    object.__setattr__(shop, "settings", replace(shop.settings, cors_origins=("*",)))
    assert ask(**origin).headers["Access-Control-Allow-Origin"] == "*"


def test_a_stream_ends_with_its_session_its_token_or_its_addon(shop: Shop, listen: Listen) -> None:
    def stream(session: str, lifetime: timedelta = timedelta(minutes=5)) -> Stream:
        claims = {"sid": session, "ver": 0}
        token = shop.current.issue_token("ada", ("staff",), "access", lifetime, claims)
        return listen(Authorization=f"Bearer {token}")

    revoked, expiring, staying = stream("s-1"), stream("s-2", timedelta(seconds=2)), stream("s-3")
    with transaction():
        revoke_session("s-1", now() + timedelta(minutes=5))
    began = time.monotonic()
    assert revoked.end() == 4401
    assert time.monotonic() - began < 1
    assert expiring.end() == 4401
    lifecycle.disable(shop, "imports")
    assert staying.end() == 4403


@ONE_ENGINE
def test_nothing_is_written_to_who_hangs_up_when_a_stream_is_about_to_end(
    server: Any, listen: Listen, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    real = sse.StreamOutlet
    monkeypatch.setattr(sse, "StreamOutlet", lambda *given: made.append(real(*given)) or made[0])
    stream = listen()
    stream.next()

    def end() -> None:
        made[0].close(Close.FORBIDDEN, "not any more")
        made[0]._websocket.eof_received()

    server._loop.call_soon_threadsafe(end)
    assert stream.end() is None
    eventually(lambda: server.clients == 0)
    assert made[0]._closing.exception() is None


@ONE_ENGINE
def test_silence_is_broken_by_heartbeats_and_nothing_is_left_of_clients_that_are_gone(
    listen: Listen, server: Any, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT", 0.1)
    stream = listen()
    stream.next()
    assert stream.answer.readline() == b"\n"
    assert stream.answer.readline() == b":\n"
    assert server.clients == 1
    stream.answer.close()
    eventually(lambda: server.clients == 0)
    assert not server._hub.wanted
    assert not server._hub.present


@ONE_ENGINE
def test_a_slow_reader_is_cut_off_while_others_read_on(
    door: Any, listen: Listen, publisher: Any, server: Any, eventually: Callable[..., None]
) -> None:
    with sockets.socket() as slow:
        slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
        slow.connect(("127.0.0.1", door.port))
        head = f"GET {PATH} HTTP/1.1\r\nAuthorization: Bearer {door.token}\r\n\r\n"
        slow.sendall(head.encode())
        eventually(lambda: server.clients == 1)
        quick = listen()
        quick.next()
        with publisher.publishing(pad="x" * 50_000):
            assert quick.numbers(150) == list(range(150))
        eventually(lambda: server.clients == 1)
        assert server._hub.meters.cut == 1


@ONE_ENGINE
def test_the_latest_values_stream_too(listen: Listen, publisher: Any) -> None:
    publisher.publish(30)
    publisher.settle()
    stream = listen(f"{PATH}&offset=0&conflate=50")
    stream.next()
    assert stream.numbers(2) == [0, 29]
