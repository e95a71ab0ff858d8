"""What cannot be read is told, and harms nobody."""

import json
from typing import Any

import pytest

from bodega_realtime import subscriber

# Nothing here depends on the engine.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

MALFORMED = [
    "",
    "{",
    "null",
    "[]",
    '"ping"',
    "{}",
    '{"type": 5}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "channel": 5}',
    '{"type": "subscribe", "channel": ""}',
    '{"type": "subscribe", "channel": "imports.\\u0000"}',
    '{"type": "subscribe", "channel": "imports.\\ud800"}',
    json.dumps({"type": "subscribe", "channel": "imports." + "x" * 300}),
    '{"type": "subscribe", "channel": "imports.x", "offset": -1}',
    '{"type": "subscribe", "channel": "imports.x", "offset": "1"}',
    '{"type": "subscribe", "channel": "imports.x", "offset": true}',
    '{"type": "subscribe", "channel": "imports.x", "offset": 1.5}',
    '{"type": "subscribe", "channel": "imports.x", "offset": 1e400}',
    '{"type": "subscribe", "channel": "imports.x", "offset": 99999999999999999999}',
    '{"type": "subscribe", "channel": "imports.x", "epoch": 1}',
    '{"type": "authenticate"}',
    '{"type": "authenticate", "token": {}}',
    "[" * 30_000,
    b'{"type": "ping"}',
    b"\xff\xfe",
]


def test_a_malformed_message_is_answered_and_the_connection_goes_on(door: Any) -> None:
    socket = door.enter()
    for text in MALFORMED:
        socket.connection.send(text)
        answer = socket.receive()
        assert (answer["type"], answer["code"]) == ("error", "malformed"), (text, answer)
        assert answer["message"]
        assert socket.ask("ping")["type"] == "pong"


def test_an_unknown_type_is_told_which_there_are(door: Any) -> None:
    answer = door.enter().ask("publish", id="x")
    assert (answer["code"], answer["id"]) == ("unknown-type", "x")
    assert "authenticate, subscribe, unsubscribe, presence, ping" in answer["message"]


def test_ten_malformed_messages_in_a_row_end_the_connection_with_4400(door: Any) -> None:
    socket, other = door.enter(), door.enter()
    for _ in range(3):
        for _ in range(9):
            assert socket.ask("nonsense")["type"] == "error"
        assert socket.ask("ping")["type"] == "pong"
    for _ in range(10):
        socket.send("nonsense")
    assert socket.closed() == 4400
    assert other.ask("ping")["type"] == "pong"


def test_a_message_of_more_than_64_kib_ends_its_connection_only(door: Any) -> None:
    socket, other = door.enter(), door.enter()
    assert socket.ask("ping", id="x" * 65_000)["type"] == "pong"
    socket.send("ping", id="x" * 70_000)
    assert socket.closed() == 1009
    assert other.ask("ping")["type"] == "pong"


def test_a_connection_has_so_many_subscriptions_and_each_once(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = door.enter()
    for number in range(subscriber.MOST_SUBSCRIPTIONS):
        assert socket.ask("subscribe", channel=f"imports.{number}")["type"] == "subscribed"
    assert socket.ask("subscribe", channel="imports.5")["code"] == "already-subscribed"
    answer = socket.ask("subscribe", channel="imports.x")
    assert (answer["code"], answer["channel"]) == ("too-many-subscriptions", "imports.x")
    assert socket.ask("unsubscribe", channel="imports.5", id=0) == {
        "type": "unsubscribed", "channel": "imports.5", "id": 0
    }  # fmt: skip
    assert socket.ask("subscribe", channel="imports.x")["type"] == "subscribed"


def test_what_was_not_subscribed_cannot_be_unsubscribed(door: Any) -> None:
    assert door.enter().ask("unsubscribe", channel="imports.x")["code"] == "not-subscribed"


def test_after_unsubscribing_nothing_comes(door: Any, publisher: Any) -> None:
    socket, other = door.subscribe(), door.subscribe()
    assert socket.ask("unsubscribe", channel=publisher.channel)["type"] == "unsubscribed"
    publisher.publish()
    assert other.numbers(1) == [0]
    assert socket.is_silent(0.1)
