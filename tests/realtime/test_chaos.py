"""Connections cut at random, the server killed, Redis killed: nobody misses anything unawares."""

import asyncio
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bodega_sdk.testing import servers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
#: Connections, how many of them are cut in how many seconds.
CLIENTS, CUTS, SECONDS = 1000, 1000, 20.0


@dataclass(eq=False)
class Witness:
    """A client that comes back, and notes every number it is given and every gap it is told of."""

    channel: str
    place: dict[str, Any]
    numbers: list[int] = field(default_factory=list)
    told: int = 0
    silent: list[str] = field(default_factory=list)
    socket: ClientConnection | None = None
    comebacks: int = 0

    async def follow(self, port: int, token: str) -> None:
        """Listen until cancelled."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                await self._listen(port, token)
            self.comebacks += 1
            await asyncio.sleep(random.uniform(0.1, 0.6))

    async def _listen(self, port: int, token: str) -> None:
        async with connect(
            f"ws://127.0.0.1:{port}/ws", proxy=None, compression=None, ping_interval=None,
            additional_headers={"Authorization": f"Bearer {token}"}, close_timeout=0.5,
            open_timeout=30,
        ) as self.socket:  # fmt: skip
            message = {"type": "subscribe", "channel": self.channel, **self.place}
            await self.socket.send(json.dumps(message))
            async for text in self.socket:
                self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            number = message["data"]["number"]
            if self.numbers and number != self.numbers[-1] + 1:
                self.silent.append(f"after {self.numbers[-1]} came {number}")
            self.numbers.append(number)
            self.place["offset"] = message["offset"]
        elif message["type"] == "subscribed":
            self.place["epoch"] = message["epoch"]
            if not message["recovered"]:
                self.told += 1
                self.place["offset"] = message["offset"]

    def cut(self) -> None:
        """Lose the connection without a word."""
        if self.socket is not None:
            self.socket.transport.abort()


@dataclass
class Killed:
    """A server in a process of its own, always on the same port, that is killed and started."""

    command: list[str]
    environ: dict[str, str]
    folder: Path
    popen: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it."""
        with (self.folder / "chaos.log").open("ab") as out:
            self.popen = subprocess.Popen(self.command, env=self.environ, stdout=out, stderr=out)

    def kill(self) -> None:
        """Give it no time for anything."""
        assert self.popen is not None
        self.popen.kill()
        self.popen.wait()


@pytest.fixture
def own_redis() -> Iterator[servers.Server]:
    """A Redis that the test may kill."""
    server = servers.redis()
    yield server
    server.stop()


@pytest.fixture
def restarted() -> Iterator["list[subprocess.Popen[bytes]]"]:
    """What was started anew; ended at the end."""
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        process.kill()
        process.wait()


@pytest.fixture
def house(open_house: Any, own_redis: servers.Server) -> Any:
    """A shop on PostgreSQL and Redis."""
    return open_house(own_redis.url)


@pytest.fixture
def killed(house: Any, tmp_path: Path) -> Iterator[Killed]:
    """The real server of the shop."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = house.shop.settings
    environ = os.environ | {
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "BODEGA_SECRET_KEY": settings.secret_key, "BODEGA_LOG": "json",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    home = ("--home", str(settings.home))
    found = Killed(
        [sys.executable, "-m", "bodega_realtime", "--port", port, *home], environ, tmp_path
    )
    found.start()
    yield found
    found.kill()


async def storm(
    witnesses: list[Witness], killed: Killed, redis: servers.Server,
    restarted: "list[subprocess.Popen[bytes]]",
) -> None:  # fmt: skip
    """Cut connections at random; in between kill the server, and Redis, and start them again."""
    assert redis.process is not None
    pause = SECONDS / CUTS
    for number in range(CUTS):
        random.choice(witnesses).cut()
        if number == CUTS // 3:
            killed.kill()
            killed.start()
        if number == CUTS * 2 // 3:
            redis.process.kill()
            redis.process.wait()
        if number == CUTS * 5 // 6:
            command = redis.process.args
            restarted.append(subprocess.Popen(command, cwd=redis.folder, stdout=subprocess.DEVNULL))
        await asyncio.sleep(pause)


async def endure(
    house: Any, killed: Killed, redis: servers.Server,
    restarted: "list[subprocess.Popen[bytes]]", witnesses: list[Witness],
) -> None:  # fmt: skip
    """Let the witnesses go through the storm, and read on until they have everything."""
    port, token = (
        int(killed.command[4]),
        house.shop.current.issue_token("ada", ("staff",), "access", timedelta(hours=1), {}),
    )
    tasks = [asyncio.create_task(witness.follow(port, token)) for witness in witnesses]
    try:
        await until(lambda: all(witness.numbers for witness in witnesses))
        await storm(witnesses, killed, redis, restarted)
        house.publisher.stop()
        await until(lambda: all(w.numbers[-1] == house.publisher.published - 1 for w in witnesses))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], bool], seconds: float = 150) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)


def test_whoever_is_cut_off_misses_nothing_or_is_told(
    house: Any, killed: Killed, own_redis: servers.Server,
    restarted: "list[subprocess.Popen[bytes]]",
) -> None:  # fmt: skip
    witnesses = [Witness(house.publisher.channel, {"offset": 0}) for _ in range(CLIENTS)]
    with house.publisher.publishing(pause=0.05):
        asyncio.run(endure(house, killed, own_redis, restarted, witnesses))
    everything = list(range(house.publisher.published))
    assert sum(witness.comebacks for witness in witnesses) >= CLIENTS  # The server was killed.
    assert [gap for witness in witnesses for gap in witness.silent] == []
    assert all(witness.told or witness.numbers == everything for witness in witnesses)
    # Nothing was pruned, so that nobody need be told either.
    assert sum(witness.told for witness in witnesses) == 0
