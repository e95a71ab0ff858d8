"""The latest values only, for who asks and where the channel permits it."""

import time
from typing import Any

import pytest

from bodega_sdk import Channel

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])
ALL = Channel(
    "imports.stream", ("import.progressed",), "imports.read", "All imports", conflate=True
)


def test_who_asks_gets_the_latest_value_of_each_key_at_their_pace(
    server: Any, door: Any, publisher: Any
) -> None:
    server._hub.channels += (ALL,)
    every, latest = door.enter(), door.enter()
    every.ask("subscribe", channel="imports.stream")
    latest.ask("subscribe", channel="imports.stream", conflate=400)
    publisher.publish(1, key="a")
    assert latest.events(1)[0]["key"] == "a"  # The first comes at once.
    for _ in range(10):
        publisher.publish(1, key="a")
        publisher.publish(1, key="b")
    began = time.monotonic()
    assert every.numbers(21) == list(range(21))
    found = latest.events(2)
    assert [(event["key"], event["data"]["number"]) for event in found] == [("a", 19), ("b", 20)]
    assert found[0]["offset"] < found[1]["offset"]
    assert time.monotonic() - began < 2
    assert latest.is_silent(0.1)


def test_an_answered_ping_says_that_nothing_waits(server: Any, door: Any, publisher: Any) -> None:
    server._hub.channels += (ALL,)
    socket, every = door.enter(), door.enter()
    assert every.ask("subscribe", channel="imports.stream")["type"] == "subscribed"
    socket.ask("subscribe", channel="imports.stream", conflate=60_000)
    publisher.publish(4, key="a")
    every.events(4)
    assert socket.numbers(1) == [0]
    socket.send("ping")
    assert socket.numbers(1) == [3]
    assert socket.receive()["type"] == "pong"


def test_a_conflating_client_resumes_at_the_latest_values(
    server: Any, door: Any, publisher: Any
) -> None:
    publisher.publish(20)
    publisher.settle()
    socket = door.enter()
    answer = socket.ask("subscribe", channel=publisher.channel, offset=0, conflate=50)
    assert answer["recovered"] is True
    assert socket.numbers(2) == [0, 19]
    assert socket.is_silent(0.1)


def test_only_where_the_channel_permits_and_within_bounds(server: Any, door: Any) -> None:
    server._hub.channels += (Channel("facts.{id}", ("import.failed",), "imports.read", "Facts"),)
    socket = door.enter()
    answer = socket.ask("subscribe", channel="facts.x", conflate=True)
    assert (answer["type"], answer["code"]) == ("error", "not-conflatable")
    for pace in (0, 49, 60_001, "1000", 0.5, []):
        answer = socket.ask("subscribe", channel="imports.x", conflate=pace)
        assert (answer["type"], answer["code"]) == ("error", "malformed"), pace
    assert socket.ask("subscribe", channel="imports.x", conflate=True)["type"] == "subscribed"
    assert socket.ask("subscribe", channel="imports.y", conflate=False)["type"] == "subscribed"
