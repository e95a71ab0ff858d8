"""The real process: how it starts, drains and ends."""

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from bodega.settings import Settings
from bodega.shop import Shop


@dataclass
class Process:
    """A server in a process of its own."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def port(self) -> int:
        """Wait until it listens; return where."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.popen.poll() is None:
            for line in self.lines():
                if line["event"] == "listening":
                    return int(line["port"])
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; return how long the process took to exit with 0."""
        began = time.monotonic()
        self.popen.send_signal(number)
        assert self.popen.wait(10) == 0, self.log.read_text()
        return time.monotonic() - began


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a server on the settings of the test."""
    environ = os.environ | {
        "DATABASE_URL": settings.database_url,
        "BODEGA_SECRET_KEY": settings.secret_key,
        "BODEGA_LOG": "json",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with ExitStack() as stack:

        def begin(*arguments: str, command: tuple[str, ...] = ("bodega_realtime",)) -> Process:
            log = tmp_path / f"realtime-{len(list(tmp_path.iterdir()))}.log"
            home = ("--home", str(settings.home))
            with log.open("wb") as out:
                popen = subprocess.Popen(
                    [sys.executable, "-m", *command, *(arguments or ("--port", "0")), *home],
                    env=environ, stdout=out, stderr=out,
                )  # fmt: skip
            stack.callback(popen.wait)
            stack.callback(popen.kill)
            return Process(popen, log)

        yield begin


def test_sigterm_sends_the_clients_away_with_1001_and_ends_in_time(
    start: Callable[..., Process], door_at: Callable[[int], Any], shop: Shop, publisher: Any
) -> None:
    process = start()
    door = door_at(process.port())
    clients = [door.subscribe() for _ in range(3)]
    publisher.publish(2)
    assert clients[0].numbers(2) == [0, 1]
    assert [found.kind for found in shop.register.living()] == ["realtime"]
    assert process.stop() < 3
    assert [client.closed() for client in clients] == [1001, 1001, 1001]
    assert shop.register.living() == []


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["postgres"])
def test_a_database_that_breaks_off_is_connected_to_again(
    start: Callable[..., Process], door_at: Callable[[int], Any], shop: Shop, publisher: Any
) -> None:
    backends = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    door = door_at(0)
    before = {row[0] for row in shop.databases.shop.execute_sql(backends).fetchall()}
    process = start()
    door.port = process.port()
    live = door.subscribe(offset=0)
    publisher.publish(2)
    assert live.numbers(2) == [0, 1]
    ended = f"SELECT pg_terminate_backend(pid) FROM ({backends}) AS b WHERE NOT pid = ANY(%s)"
    assert len(shop.databases.shop.execute_sql(ended, (list(before),)).fetchall()) >= 2
    publisher.publish(2)
    assert live.numbers(2) == [2, 3]
    again = door.enter()
    answer = again.ask("subscribe", channel=publisher.channel, offset=0)
    if answer["type"] == "error":
        assert answer["code"] == "unavailable"
        answer = again.ask("subscribe", channel=publisher.channel, offset=0)
    assert answer["recovered"] is True
    assert again.numbers(4) == [0, 1, 2, 3]
    assert process.stop() < 5


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"])
def test_sigint_ends_it_in_time_however_clients_behave(
    start: Callable[..., Process], door_at: Callable[[int], Any], publisher: Any
) -> None:
    process = start()
    port = process.port()
    half_open = socket.create_connection(("127.0.0.1", port))
    stuck = door_at(port).enter(max_queue=1)
    stuck.send("subscribe", channel=publisher.channel)
    publisher.publish(100, pad="x" * 50_000)
    assert process.stop(signal.SIGINT) < 5
    half_open.close()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"])
def test_connections_that_drop_leave_no_trace_in_the_log(
    start: Callable[..., Process], door_at: Callable[[int], Any], publisher: Any
) -> None:
    process = start()
    door = door_at(process.port())
    with publisher.publishing():
        for number in range(20):
            client = door.enter()
            client.send("subscribe", channel=publisher.channel, offset=0)
            if number % 2:
                client.receive()
            drop_hard(client)
        knock(process.port(), b"GET /ws HTTP/1.1\r\nHost: x\r\n")
        knock(process.port(), b"\x16\x03\x01\x02\x00\x01\x00 no HTTP at all\r\n\r\n")
        witness = door.subscribe()
        witness.events(20)
    process.stop()
    assert {line["level"] for line in process.lines()} == {"info"}, process.lines()


def drop_hard(client: Any) -> None:
    """Reset a connection."""
    client.connection.socket.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    client.drop()


def knock(port: int, sent: bytes) -> None:
    """Send something and go away."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(sent)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_shop_that_was_never_started_is_told_how_to_start_it(
    start: Callable[..., Process],
) -> None:
    process = start()
    assert process.popen.wait(20) == 1
    assert process.log.read_text() == (
        "Error: this shop is not prepared; run 'bodega migrate' first\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_port_that_is_taken_is_told(start: Callable[..., Process], shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        assert process.popen.wait(20) == 1
    text = process.log.read_text()
    assert text.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")
    assert "choose another with --port" in text
    assert "Traceback" not in text


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_command_of_the_house_starts_it(
    start: Callable[..., Process], door_at: Callable[[int], Any], shop: Shop
) -> None:
    process = start("--port", "0", command=("bodega", "realtime"))
    assert door_at(process.port()).enter().ask("ping")["type"] == "pong"
    assert process.stop() < 5


@pytest.mark.slow
def test_five_hundred_clients_receive_every_event_in_order(
    start: Callable[..., Process], door_at: Callable[[int], Any], publisher: Any
) -> None:
    process = start()
    door = door_at(process.port())

    async def listen() -> list[int]:
        address = f"ws://127.0.0.1:{door.port}/ws"
        headers = {"Authorization": f"Bearer {door.token}"}
        async with connect(address, proxy=None, additional_headers=headers) as client:
            subscribe = {"type": "subscribe", "channel": publisher.channel, "offset": 0}
            await client.send(json.dumps(subscribe))
            received = [json.loads(await client.recv()) for _ in range(102)]
            return [message["data"]["number"] for message in received[2:]]

    async def crowd() -> list[list[int]]:
        return await asyncio.gather(*(listen() for _ in range(500)))

    with publisher.publishing(pause=0.01):
        assert asyncio.run(crowd()) == [list(range(100))] * 500
    process.stop()
