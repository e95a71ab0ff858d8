"""Plain streams: a token, a path, and the data of each event as a message."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from bodega.addons import lifecycle
from bodega.database.tables import EventRow
from bodega.shop import Shop
from bodega_realtime import connection
from bodega_sdk import Channel, now, revoke_session, transaction

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"])
KEY = "0190a000-0000-7000-8000-000000000001"
PATH = f"/ws/imports/{KEY}/"


def status_of(door: Any, path: str, **options: Any) -> int:
    """Return with what a handshake is refused."""
    with pytest.raises(InvalidStatus) as refused:
        door.open(door.token, path=path, **options)
    assert refused.value.response.headers["Content-Type"] == "application/problem+json"
    return int(refused.value.response.status_code)


def test_a_simple_client_gets_the_data_of_each_event_and_nothing_else(
    door: Any, server: Any, publisher: Any, eventually: Callable[..., None]
) -> None:
    by_header = door.open(door.token, path=PATH)
    in_protocol = door.open(path=PATH, subprotocols=["bodega.v1", f"bearer.{door.token}"])
    by_message, bare = door.open(path=PATH.rstrip("/")), door.open(path=PATH)
    by_message.connection.send(json.dumps({"type": "authenticate", "token": door.token}))
    bare.connection.send(door.token)
    eventually(lambda: server._hub.present[publisher.channel] == 4)
    publisher.publish(3)
    publisher.publish(1, key="another")
    for socket in (by_header, in_protocol, by_message, bare):
        assert [socket.receive() for _ in range(3)] == [{"number": n} for n in range(3)]
        assert socket.is_silent(0.05)
    by_header.connection.send("whatever a simple client says")
    publisher.publish(1)
    assert by_header.receive() == {"number": 4}


@ONE_ENGINE
def test_nobody_is_let_in_who_may_not_subscribe(door: Any, issue: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "PATIENCE", timedelta(seconds=0.3))
    assert door.open(issue("user"), path=PATH).closed() == 4403
    assert door.open("nonsense", path=PATH).closed() == 4401
    guessing, silent = door.open(path=PATH), door.open(path=PATH)
    guessing.connection.send("let me in")
    assert (guessing.closed(), silent.closed()) == (4401, 4401)
    in_address = door.open(path=f"{PATH}?envelope=false")
    assert in_address.closed() == 4401
    for path in ("/ws/imports/", "/ws/nothing/", "/ws/exports/x/", "/ws/imports/%00/"):
        assert status_of(door, path) == 404
    for query in ("token=x", "offset=-1", "offset=x", "offset=1&offset=2", "conflate=7",
                  "offset=99999999999999999999", "envelope=yes", "%ff=%ff"):  # fmt: skip
        assert status_of(door, f"{PATH}?{query}") == 400


def test_a_plain_stream_is_resumed_and_says_so_when_it_cannot_be(
    shop: Shop, door: Any, publisher: Any
) -> None:
    publisher.publish(3)
    publisher.settle()
    socket = door.open(door.token, path=f"{PATH}?offset=0&envelope=true")
    told = socket.receive()
    assert (told["type"], told["recovered"], told["epoch"]) == ("subscribed", True, shop.shop_id)
    events = socket.events(3)
    after = events[0]["offset"]
    resumed = door.open(door.token, path=f"{PATH}?offset={after}&epoch={told['epoch']}")
    publisher.publish(1)
    assert [resumed.receive()["number"] for _ in range(3)] == [1, 2, 3]
    EventRow.delete().where(EventRow.offset <= events[1]["offset"]).execute()
    pruned = f"{PATH}?offset={after}"
    assert door.open(door.token, path=pruned).closed() == 4410
    assert door.open(door.token, path=f"{PATH}?offset=1&epoch=another").closed() == 4410
    told = door.open(door.token, path=f"{pruned}&envelope=true").receive()
    assert told["recovered"] is False


def test_a_plain_stream_ends_with_the_session_the_token_or_the_addon(
    shop: Shop, door: Any, publisher: Any
) -> None:
    def token(session: str, lifetime: timedelta = timedelta(minutes=5)) -> str:
        claims = {"sid": session, "ver": 0}
        return shop.current.issue_token("ada", ("staff",), "access", lifetime, claims)

    short = token("s-2", timedelta(seconds=2))
    revoked, expiring, renewed, other = (
        door.open(text, path=PATH) for text in (token("s-1"), short, short, token("s-3"))
    )
    renewed.send("authenticate", token=token("s-2"))
    with transaction():
        revoke_session("s-1", now() + timedelta(minutes=5))
    assert revoked.closed() == 4401
    assert expiring.closed() == 4401
    publisher.publish(1)
    assert renewed.receive() == other.receive() == {"number": 0}
    lifecycle.disable(shop, "imports")
    assert (renewed.closed(), other.closed()) == (4403, 4403)
    assert status_of(door, PATH) == 404


@ONE_ENGINE
def test_a_channel_without_braces_carries_its_events_whatever_their_key(
    shop: Shop, server: Any, door: Any, publisher: Any
) -> None:
    everything = Channel(
        "imports.stream", ("import.progressed",), "imports.read", "All imports",
        path="imports/stream/",
    )  # fmt: skip
    server._hub.channels += (everything,)
    whole, one = door.enter(), door.enter()
    assert whole.ask("subscribe", channel="imports.stream")["type"] == "subscribed"
    assert one.ask("subscribe", channel=publisher.channel)["type"] == "subscribed"
    plain = door.open(door.token, path="/ws/imports/stream/?offset=0")
    publisher.publish(1)
    publisher.publish(1, key="another")
    assert whole.numbers(2) == [0, 1]
    assert one.numbers(1) == [0]
    assert [plain.receive()["number"] for _ in range(2)] == [0, 1]
    late = door.enter()
    assert late.ask("subscribe", channel="imports.stream", offset=0)["recovered"] is True
    assert late.numbers(2) == [0, 1]
    assert one.is_silent(0.05)
