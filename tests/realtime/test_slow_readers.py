"""A client that does not read is cut off; the others do not notice it."""

import socket as sockets
from collections.abc import Callable
from typing import Any

import pytest

from bodega_realtime import outlet, server

# Sockets do not depend on the engine.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"])
PAD = "x" * 50_000


@pytest.fixture(autouse=True)
def _short_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_FAREWELL", 0.4)


def slow(door: Any) -> Any:
    """Return a subscriber that reads nothing by itself and has small buffers."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
    raw.connect(("127.0.0.1", door.port))
    return door.enter(sock=raw, max_queue=1)


def test_a_slow_reader_is_cut_off_with_4408_while_the_others_receive(
    door: Any, publisher: Any
) -> None:
    sluggish, quick = slow(door), door.subscribe()
    sluggish.ask("subscribe", channel=publisher.channel)
    with publisher.publishing(pad=PAD):
        assert quick.numbers(150) == list(range(150))
    assert sluggish.closed() == 4408


def test_a_reader_that_never_reads_again_is_forgotten_though_nothing_more_comes(
    door: Any, publisher: Any, server: Any, monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:  # fmt: skip
    monkeypatch.setattr(outlet, "_PATIENCE", 0.2)
    sluggish = slow(door)
    sluggish.ask("subscribe", channel=publisher.channel)
    publisher.publish(150, pad=PAD)
    eventually(lambda: server.clients == 0)


def test_a_replay_waits_for_a_slow_reader_and_brings_everything(door: Any, publisher: Any) -> None:
    publisher.publish(150, pad=PAD)
    sluggish = slow(door)
    sluggish.send("subscribe", channel=publisher.channel, offset=0)
    assert sluggish.receive()["recovered"] is True
    publisher.publish(50, pad=PAD)
    assert sluggish.numbers(200) == list(range(200))


def test_a_replay_does_not_wait_for_ever(
    door: Any, publisher: Any, server: Any, monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:  # fmt: skip
    monkeypatch.setattr(outlet, "_PATIENCE", 0.2)
    publisher.publish(150, pad=PAD)
    sluggish = slow(door)
    sluggish.send("subscribe", channel=publisher.channel, offset=0)
    eventually(lambda: server.clients == 0)
