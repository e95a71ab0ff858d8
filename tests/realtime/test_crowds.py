"""Crowds: they are written to together, and sent away one after the other."""

import asyncio
import json
import time
from typing import Any

import pytest

from bodega_realtime import draining, frames, pump
from bodega_realtime.messages import Close
from bodega_realtime.pump import Pump
from bodega_realtime.subscriptions import Hub
from bodega_sdk import Channel

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"])


class Outlet:
    """Notes when it was told to write."""

    def __init__(self) -> None:
        self.written: list[float] = []

    def flush(self) -> None:
        """Note it."""
        self.written.append(asyncio.get_running_loop().time())


@pytest.mark.parametrize(("outlets", "gathered"), [(1, False), (pump.CROWD, True)])
def test_few_are_written_to_at_once_and_many_together(outlets: int, gathered: bool) -> None:
    async def deliver() -> list[float]:
        found, made = Pump(), [Outlet() for _ in range(outlets)]
        for _ in range(2):
            for outlet in made:
                found.add(outlet)
            await asyncio.sleep(0.001 if not gathered else 0.004)
        await asyncio.sleep(pump.GATHER * 3)
        return made[-1].written

    first, second = asyncio.run(deliver())
    assert (second - first >= pump.GATHER - 0.001) is gathered


def test_a_crowd_is_sent_away_over_some_time_and_not_for_long() -> None:
    class Listener:
        """Notes when it was told to go."""

        def revise(self) -> None: ...
        def check_session(self) -> None: ...

        def leave(self, code: Close, reason: str) -> None:
            assert code is Close.GOING_AWAY
            left.append(time.monotonic())

    left: list[float] = []
    for size, least, most in ((3, 0.0, 0.1), (200, 0.2, 1.5), (2000, 1.0, 4.0)):
        left.clear()
        hub = Hub("shop", listeners={Listener() for _ in range(size)})
        began = time.monotonic()
        asyncio.run(draining.drain(hub, Close.GOING_AWAY))
        assert len(left) == size
        assert least <= left[-1] - began <= most


def test_frames_are_as_the_protocol_wants_them() -> None:
    for size, head in (
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ):
        assert frames.text(b"x" * size) == head + b"x" * size


@ONE_ENGINE
def test_messages_of_every_size_come_through(door: Any, publisher: Any) -> None:
    socket = door.subscribe()
    for size in (0, 20, 200, 70_000):
        publisher.publish(1, pad="x" * size)
        assert len(socket.receive()["data"]["pad"]) == size


@pytest.mark.parametrize(
    ("name", "path", "told"),
    [
        ("a.{b}.{c}", None, "one parameter at most"),
        ("a.{b}", "a/", "must have a parameter"),
        ("a.all", "a/{b}/", "must have a parameter"),
        ("a.all", "/a b/", "expected a path such as"),
        ("a.{b}", "a/{b}/", ""),
    ],
)
def test_what_a_channel_declares_is_looked_at(name: str, path: str | None, told: str) -> None:
    from bodega.addons.declarations import _channel_faults

    faults = list(_channel_faults(Channel(name, ("a.made",), "a.read", "A thing", path=path)))
    assert bool(faults) is bool(told)
    assert all(told in fault for fault in faults)


@ONE_ENGINE
@pytest.mark.slow
def test_a_stuck_reader_makes_nobody_else_wait(door: Any, publisher: Any, server: Any) -> None:
    """Half as late again at most, and so much memory at most."""
    others = [door.subscribe() for _ in range(5)]

    def late() -> float:
        found = []
        for _ in range(60):
            publisher.publish(1, at=time.time(), pad="x" * 20_000)
            for socket in others:
                found.append(time.time() - socket.receive()["data"]["at"])
        return sorted(found)[int(len(found) * 0.95)]

    before = late()
    stuck = door.enter(max_queue=1)
    stuck.send("subscribe", channel=publisher.channel)
    after = late()
    assert after < before * 1.5 + 0.02
    for listener in tuple(server._hub.listeners):
        assert listener._outlet.unread < 2**21
    assert json.loads(stuck.connection.recv(5))["type"] == "subscribed"
