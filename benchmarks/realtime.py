"""A thousand clients on one channel: how many deliveries a second, how late, how much memory.

    .venv/bin/python benchmarks/realtime.py [--clients 1000] [--rate 100] [--seconds 10]
                                            [--database URL] [--redis URL] [--floor]

The server is `python -m bodega_realtime`, in a process of its own. This process logs the clients
in with tokens, subscribes them with permission and offset, and reads what every client gets. A
third publishes events of 120 bytes of data at the rate, in transactions of the shop, and numbers
them as a worker does. The clients are bare asyncio protocols that count frames, so that two cores
do for all three. Each event carries the time when it was published; late is from then until its
bytes are read, through the outbox, the relay, the feed and the socket. All events must come to
all clients, in order: the run fails otherwise. Memory is the server's, before the clients came
and when all had logged in.

`--stuck N` adds N clients that subscribe and never read: what they make of the others' lateness
is seen beside a run without them.

`--floor` measures `websockets.broadcast()` in the place of the server: no login, no permission,
no offsets, no log.
"""

import argparse
import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.jobs.relay import Relay
from bodega.shop import Shop
from bodega_imports.events import import_progressed
from bodega_sdk.runtime import bound
from bodega_sdk.testing.shop import settings_for

KEY = "0190a000-0000-7000-8000-000000000001"
CHANNEL = f"imports.{KEY}"
_BYTES = 120
FLOOR = """
import asyncio, sys, time
from websockets.asyncio.server import broadcast, serve

async def main():
    clients, rate, seconds = set(), float(sys.argv[1]), float(sys.argv[2])
    async def talk(client):
        clients.add(client)
        await client.wait_closed()
    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        print('{"event": "listening", "port": %d}' % server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.time()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, began + number / rate - time.time()))
            data = '"data":{"at":%.6f,"number":%d,' % (time.time(), number)
            broadcast(clients, '{"type":"event",' + data + '"pad":"' + "x" * 280 + '"}}')
        await asyncio.sleep(600)

asyncio.run(main())
"""


@dataclass
class Batch:
    """What a piece of bytes holds; most clients are sent the very same ones."""

    first: int
    last: int
    times: list[float]


@dataclass
class Crowd:
    """What the clients have in common.

    Args:
        arrivals: when bytes were read, and which.
        known: what bytes hold that were read before.
    """

    arrivals: list[tuple[float, Batch]] = field(default_factory=list)
    received: int = 0
    ready: int = 0
    faults: list[str] = field(default_factory=list)
    known: dict[bytes, Batch | None] = field(default_factory=dict)

    def read(self, data: bytes) -> Batch | None:
        """Read whole frames; None for what is no event."""
        if data not in self.known:
            if len(self.known) > 5000:
                self.known.clear()
            self.known[data] = self._parse(data)
        return self.known[data]

    @staticmethod
    def _parse(data: bytes) -> Batch | None:
        numbers, times, place = [], [], 0
        while place < len(data):
            kind, size, head = data[place], data[place + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[place + 2 : place + 4]), 4
            place += head + size
            if kind != 0x81:  # A ping of the server: the run is shorter than its patience.
                continue
            message = json.loads(data[place - size : place])
            if message["type"] == "event":
                numbers.append(message["data"]["number"])
                times.append(message["data"]["at"])
        if not numbers:
            return None
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
        return Batch(numbers[0], numbers[-1], times)


class Client(asyncio.Protocol):
    """One client: it upgrades, says what it has to, and counts."""

    def __init__(self, crowd: Crowd, token: str) -> None:
        self._crowd = crowd
        self._token = token
        self._rest = b""
        self._next: int | None = None
        self._upgraded = False

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        bearer = f"Authorization: Bearer {self._token}\r\n" if self._token else ""
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"{bearer}\r\n".encode()
        )

    def say(self, text: str) -> None:
        """Send a text message, masked with zeros."""
        data = text.encode()
        size = bytes((len(data) | 0x80,)) if len(data) < 126 else (
            bytes((126 | 0x80,)) + len(data).to_bytes(2)
        )  # fmt: skip
        self.transport.write(b"\x81" + size + b"\x00\x00\x00\x00" + data)

    def data_received(self, data: bytes) -> None:
        """Count the frames that are whole, and keep the rest."""
        now = time.time()
        if not self._upgraded:
            head, _, data = data.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101"), head
            self._upgraded = True
            self._crowd.ready += 1
        # Most clients get the very same bytes, so that most of this is a look into a table.
        batch = None if self._rest else self._crowd.known.get(data)
        if batch is None:
            data = self._rest + data
            whole = _whole(data)
            self._rest = data[whole:]
            batch = self._crowd.read(data[:whole]) if whole else None
        if batch is None:
            return
        if self._next is not None and batch.first != self._next:
            self._crowd.faults.append(f"expected {self._next}, found {batch.first}")
        self._next = batch.last + 1
        self._crowd.received += len(batch.times)
        self._crowd.arrivals.append((now, batch))

    def connection_lost(self, error: Exception | None) -> None:
        """A client is never sent away here."""
        if not self.transport.is_closing():
            self._crowd.faults.append(f"a connection was lost: {error}")


class Stuck(Client):
    """A client that never reads what it asked for."""

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade, and look at nothing that comes."""
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        super().connection_made(transport)
        transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """It may well be cut."""


def _whole(data: bytes) -> int:
    """Return how many bytes are whole frames."""
    place = 0
    while place + 2 <= len(data):
        size, head = data[place + 1], 2
        if size == 126:
            if place + 4 > len(data):
                break
            size, head = int.from_bytes(data[place + 2 : place + 4]), 4
        if place + head + size > len(data):
            break
        place += head + size
    return place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100, help="messages a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--database", default="", help="SQLite if empty")
    parser.add_argument("--redis", default="")
    parser.add_argument("--stuck", type=int, default=0, help="clients that never read")
    parser.add_argument("--floor", action="store_true", help="websockets.broadcast() instead")
    parser.add_argument("--publish", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if told.publish:
        publish(told)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        (floor if told.floor else house)(told, Path(folder), stack)


def floor(told: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
    command = [sys.executable, "-c", FLOOR, str(told.rate), str(told.seconds)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdout is not None
    port = int(json.loads(process.stdout.readline())["port"])
    report("websockets.broadcast()", told, port, "", process.pid, starting(process))


def house(told: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
    shop = open_shop(folder / "shop", told)
    stack.callback(shop.databases.close)
    settings = shop.settings
    publisher = subprocess.Popen(
        [sys.executable, __file__, "--publish", str(settings.home), "--rate", str(told.rate),
         "--seconds", str(told.seconds), "--database", told.database, "--redis", told.redis],
        stdin=subprocess.PIPE,
    )  # fmt: skip
    stack.callback(publisher.wait)
    stack.callback(publisher.kill)
    environ = os.environ | {
        "DATABASE_URL": settings.database_url, "REDIS_URL": told.redis,
        "BODEGA_SECRET_KEY": settings.secret_key, "BODEGA_LOG": "json",
    }  # fmt: skip
    command = [sys.executable, "-m", "bodega_realtime", "--port", "0", "--home", str(settings.home)]
    log = folder / "realtime.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    token = shop.current.issue_token("ada", ("staff",), "access", timedelta(hours=1), {})
    report("bodega_realtime", told, listening(log), token, process.pid, starting(publisher))


def open_shop(home: Path, told: argparse.Namespace) -> Shop:
    shop = Shop(replace(settings_for(home, told.database), redis_url=told.redis), connections=6)
    lifecycle.prepare(shop, Edition("benchmark", ("accounts", "products", "imports")))
    shop.refresh()
    return shop


def starting(process: "subprocess.Popen[bytes]") -> Callable[[], None]:
    """Return what lets a process begin that waits for a line."""

    def begin() -> None:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()

    return begin


def listening(log: Path) -> int:
    """Wait until the server listens; return its port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            found = json.loads(line)
            if found["event"] == "listening":
                return int(found["port"])
        time.sleep(0.05)
    raise SystemExit(f"the server does not listen:\n{log.read_text()}")


def publish(told: argparse.Namespace) -> None:
    """Publish in a process of its own, and number the events as a worker does."""
    shop = open_shop(told.publish, told)
    relay = Relay(shop)
    relay.start()
    sys.stdin.readline()
    began = time.time()
    with bound(shop.current):
        for number in range(int(told.rate * told.seconds)):
            time.sleep(max(0.0, began + number / told.rate - time.time()))
            data = {"at": time.time(), "number": number}
            pad = _BYTES - len(json.dumps(data, separators=(",", ":"))) - len(',"pad":""')
            with shop.transaction():
                import_progressed.publish(KEY, data | {"pad": "x" * pad})
    sys.stdin.readline()


def memory(pid: int) -> int:
    """Return the bytes that a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def processor(pid: int) -> float:
    """Return the seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(
    name: str, told: argparse.Namespace, port: int, token: str, pid: int,
    begin: Callable[[], None],
) -> None:  # fmt: skip
    # What is noted of 800,000 deliveries would be looked through again and again, and whoever
    # is read meanwhile would seem late: the clock would measure itself.
    gc.disable()
    crowd = Crowd()
    before, after, used = asyncio.run(run(crowd, told, port, token, pid, begin))
    expected = int(told.rate * told.seconds) * told.clients
    late = sorted(now - at for now, batch in crowd.arrivals for at in batch.times)
    p50, p99, most = (late[int(len(late) * part) - 1] for part in (0.5, 0.99, 1))
    print(
        f"{name}: {crowd.received:,} of {expected:,} deliveries, "
        f"{told.rate * told.clients:,.0f}/s for {told.seconds:g} s, {len(crowd.faults)} faults\n"
        f"  late: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, at most {most * 1e3:.1f} ms\n"
        f"  processor: server {used / told.seconds:.2f} of a core, "
        f"memory: {(after - before) / told.clients / 1024:.1f} KB a connection"
    )
    if crowd.faults or crowd.received != expected:
        raise SystemExit("not every client received everything in order: " + str(crowd.faults[:3]))


async def run(
    crowd: Crowd, told: argparse.Namespace, port: int, token: str, pid: int,
    begin: Callable[[], None],
) -> tuple[int, int, float]:  # fmt: skip
    """Return the server's memory before the clients came and after, and what it computed."""
    loop = asyncio.get_running_loop()
    before, clients = memory(pid), []
    for number in range(told.clients):
        made = await loop.create_connection(lambda: Client(crowd, token), "127.0.0.1", port)
        clients.append(made[1])
        if number % 50 == 49:
            await until(lambda: crowd.ready >= len(clients), 30)
    await until(lambda: crowd.ready == told.clients, 30)
    await asyncio.sleep(1)
    after = memory(pid)
    if token:
        for _ in range(told.stuck):
            made = await loop.create_connection(lambda: Stuck(crowd, token), "127.0.0.1", port)
            clients.append(made[1])
        await asyncio.sleep(1)
        for client in clients:
            client.say(json.dumps({"type": "subscribe", "channel": CHANNEL, "offset": 0}))
        await asyncio.sleep(max(2.0, told.clients / 300))
    used = processor(pid)
    begin()
    expected = int(told.rate * told.seconds) * told.clients
    await asyncio.sleep(told.seconds)
    await until(lambda: crowd.received >= expected or bool(crowd.faults), 20)
    used = processor(pid) - used
    for client in clients:
        client.transport.abort()
    return before, after, used


async def until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    main()
