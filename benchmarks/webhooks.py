"""How fast webhooks are sent: signed deliveries a second, every receipt checked.

    .venv/bin/python benchmarks/webhooks.py [--deliveries 10000] [--rounds 3] [--engine sqlite]

All send the same deliveries to a sink in a process of its own, which answers after 5 ms:

``bodega``    the sender, as a worker runs it: claims, signatures, a log of every attempt
``bare``      the least it can cost: the same rows claimed in batches, one aiohttp loop, HMAC,
              marked in bulk; no log, no retries, no limits, nothing vetted
``requests``  one Huey task for each delivery, 8 threads, a ``requests`` session in each;
              needs ``pip install requests``, and sends a fifth of them

Rounds are interleaved; medians are told. With ``--isolation``: the time that deliveries to 50
healthy endpoints take, without and with one that hangs and one that fails.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import importlib.util
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_sdk import now, transaction
from bodega_sdk.events import Occurrence
from bodega_sdk.ids import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_webhooks.fan_out import write
from bodega_webhooks.models import Attempt, Delivery, Payload, Webhook
from bodega_webhooks.sender import send_due
from bodega_webhooks.statements import on_postgres, run, stamp, update_each
from bodega_webhooks.webhooks import create

LATENCY = 0.005
AT_ONCE = 100
BATCH = 500


# The sink.


class Receiving(asyncio.Protocol):
    """As little of an HTTP server as will do, so that it is not what is measured."""

    def __init__(self, seen: list[tuple[str, float]], kinds: dict[str, float]) -> None:
        self._seen, self._kinds, self._buffer = seen, kinds, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            told = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
            size = end + 4 + int(told.get("content-length", 0))
            if len(self._buffer) < size:
                return
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            self._answer(lines[0].split()[1], told, body)

    def _answer(self, path: str, told: dict[str, str], body: bytes) -> None:
        kind = path.split("/")[1]
        if kind != "hang" and kind != "fail":
            self._seen.append((
                "\n".join((told["webhook-id"], told["webhook-timestamp"],
                           told["webhook-signature"], body.decode())), time.time()))  # fmt: skip
        wait = 3600 if kind == "hang" else LATENCY
        status = b"500 No" if kind == "fail" else b"200 OK"
        answer = b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nok" % status
        asyncio.get_running_loop().call_later(wait, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def sink(pipe: Connection) -> None:
    """Serve; on each word from the pipe, tell what was received since the last one."""

    async def serve() -> None:
        seen: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Receiving(seen, {}), "127.0.0.1", 0, backlog=500)
        pipe.send(server.sockets[0].getsockname()[1])
        while await asyncio.to_thread(pipe.recv) != "stop":
            pipe.send(list(seen))
            seen.clear()

    asyncio.run(serve())


@contextmanager
def receiver() -> Iterator[tuple[int, Callable[[], list[tuple[str, float]]]]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=sink, args=(theirs,), daemon=True)
    process.start()

    def received() -> list[tuple[str, float]]:
        ours.send("tell")
        found: list[tuple[str, float]] = ours.recv()
        return found

    try:
        yield ours.recv(), received
    finally:
        ours.send("stop")
        process.join(5)


# The shop.


def open_shop(folder: Path, url: str) -> Shop:
    shop = Shop(Settings(home=folder, database_url=url, log_level="error"))
    lifecycle.prepare(shop, Edition("bench", ("accounts", "webhooks")))
    shop.refresh()
    with bound(shop.current):
        change(shop, "webhooks.allow_hosts", "127.0.0.1")
    shop.refresh()
    return shop


def webhook(url: str) -> tuple[Webhook, str]:
    members = {
        "url": url, "event_types": ["*"], "payload_filter": None, "headers": {}, "secret": "",
        "payload_versions": {}, "concurrency": AT_ONCE, "rate": None, "timeout": 15,
    }  # fmt: skip
    with transaction():
        return create(members, "benchmark")


def fill(rows: list[Webhook], number: int) -> None:
    """Write down deliveries as if so many orders had been paid."""
    for model in (Attempt, Delivery, Payload):
        model.delete().execute()
    data = {"id": "0190f4a2", "total": "129.90", "currency": "EUR", "note": "x" * 200}
    for begin in range(0, number, BATCH):
        batch = [Occurrence(begin + n + 1, "order.paid", 1, f"o-{begin + n}", data, now())
                 for n in range(min(BATCH, number - begin))]  # fmt: skip
        with transaction():
            write(batch, rows)


# Who sends.


def bodega(row: Webhook, secret: str) -> float:
    began = time.perf_counter()
    send_due()
    return time.perf_counter() - began


def bare(row: Webhook, secret: str) -> float:
    began = time.perf_counter()
    asyncio.run(_bare(row, base64.b64decode(secret.removeprefix("whsec_"))))
    return time.perf_counter() - began


async def _bare(row: Webhook, key: bytes) -> None:
    waiting: asyncio.Queue[Any] = asyncio.Queue(2 * BATCH)
    done: list[tuple[Any, ...]] = []
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            while (item := await waiting.get()) is not None:
                ident, message, body = item
                stamped = str(int(time.time()))
                content = f"{message}.{stamped}.{body}".encode()
                digest = hmac.new(key, content, hashlib.sha256).digest()
                headers = {
                    "content-type": "application/json", "webhook-id": message,
                    "webhook-timestamp": stamped,
                    "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
                }  # fmt: skip
                async with session.post(row.url, data=body.encode(), headers=headers) as answer:
                    await answer.read()
                done.append((ident, "delivered" if answer.status < 300 else "waiting"))

        workers = [asyncio.create_task(work()) for _ in range(AT_ONCE)]
        while items := await _in_context(_claim):
            for item in items:
                await waiting.put(item)
            ready, done[:] = list(done), []
            await _in_context(_mark, ready)
        for _ in workers:
            await waiting.put(None)
        await asyncio.gather(*workers)
        await _in_context(_mark, done)


async def _in_context(work: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(work, *arguments)


def _claim() -> list[tuple[Any, ...]]:
    lock = "FOR UPDATE SKIP LOCKED" if on_postgres() else ""
    with transaction():
        found = run(
            "UPDATE webhooks_delivery SET due_at = ? WHERE id IN (SELECT id FROM webhooks_delivery "
            f"WHERE status = 'waiting' AND due_at <= ? ORDER BY due_at, id LIMIT {BATCH} {lock}) "
            "RETURNING id, message_id, payload",
            ("2100-01-01T00:00:00.000000Z", stamp(now())),
        ).fetchall()
        keys = ", ".join("?" * len(found))
        bodies = dict(run(f"SELECT id, body FROM webhooks_payload WHERE id IN ({keys})",
                          [item[2] for item in found]).fetchall()) if found else {}  # fmt: skip
    return [(ident, message, bodies[payload]) for ident, message, payload in found]


def _mark(rows: list[tuple[Any, ...]]) -> None:
    columns = (("id", "uuid"), ("status", "varchar"))
    with transaction():
        update_each("webhooks_delivery", columns, rows, "d.status = 'waiting'")


def huey_worker(folder: str, url: str, secret: str, ready: Any) -> None:
    """Run tasks in 8 threads until killed."""
    import requests
    from huey import SqliteHuey

    huey = SqliteHuey("bench", filename=f"{folder}/huey.sqlite")
    local, key = threading.local(), base64.b64decode(secret.removeprefix("whsec_"))

    @huey.task(name="deliver")
    def deliver(message: str, body: str) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        stamped = str(int(time.time()))
        digest = hmac.new(key, f"{message}.{stamped}.{body}".encode(), hashlib.sha256).digest()
        headers = {
            "content-type": "application/json", "webhook-id": message,
            "webhook-timestamp": stamped,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }  # fmt: skip
        local.session.post(url, data=body.encode(), headers=headers, timeout=15)

    for item in json.loads(Path(folder, "items.json").read_text()):
        deliver(*item)
    ready.set()
    huey.create_consumer(workers=8, worker_type="thread", periodic=False).run()


def requests_in_huey(
    row: Webhook, secret: str, number: int, received: Callable[[], Any]
) -> tuple[float, list[Any]]:
    items = [
        (item.message_id, Payload.get_by_id(item.payload).body)
        for item in Delivery.select().order_by(Delivery.id).limit(number)
    ]
    context = multiprocessing.get_context("spawn")
    ready, seen = context.Event(), []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "items.json").write_text(json.dumps(items))
        process = context.Process(target=huey_worker, args=(folder, row.url, secret, ready))
        process.start()
        ready.wait()
        while len(seen) < number:
            time.sleep(0.05)
            seen += received()
        os.kill(process.pid or 0, 9)
        process.join()
    # From the first to the last receipt: what starting takes is not counted.
    return seen[-1][1] - seen[0][1], seen


# Checking and telling.


def check(name: str, seen: list[tuple[str, float]], secret: str, number: int) -> None:
    """Hold receipts against what was to be sent, one by one."""
    expected = {item.message_id for item in Delivery.select(Delivery.message_id)}
    key, ids = base64.b64decode(secret.removeprefix("whsec_")), []
    for told, _ in seen:
        message, stamped, signature, body = told.split("\n")
        digest = hmac.new(key, f"{message}.{stamped}.{body}".encode(), hashlib.sha256).digest()
        assert signature == f"v1,{base64.b64encode(digest).decode()}", f"{name}: bad signature"
        ids.append(message)
    assert len(ids) == len(set(ids)) == number, f"{name}: {len(ids)} receipts, {len(set(ids))} ids"
    assert set(ids) <= expected, f"{name}: something was invented"


def measure(shop: Shop, args: Any) -> None:
    times: dict[str, list[float]] = {"bodega": [], "bare": [], "requests": []}
    with bound(shop.current), receiver() as (port, received):
        row, secret = webhook(f"http://127.0.0.1:{port}/hook")
        for _ in range(args.rounds):
            for name, send in (("bodega", bodega), ("bare", bare)):
                fill([row], args.deliveries)
                times[name].append(args.deliveries / send(row, secret))
                check(name, received(), secret, args.deliveries)
                left = Delivery.select().where(Delivery.status != "delivered").count()
                assert not left, f"{name}: {left} are not marked"
            if importlib.util.find_spec("requests"):
                fewer = max(1, args.deliveries // 5)
                seconds, seen = requests_in_huey(row, secret, fewer, received)
                times["requests"].append(fewer / seconds)
                check("requests", seen, secret, fewer)
        Webhook.delete().execute()
    tell(args.engine, {name: statistics.median(found) for name, found in times.items() if found})


def tell(engine: str, rates: dict[str, float]) -> None:
    for name, rate in rates.items():
        print(f"{engine:9} {name:9} {rate:8,.0f} deliveries/s  "
              f"{rates['bodega'] / rate:5.2f} x slower than bodega")  # fmt: skip
    print(f"{engine:9} bodega is {rates['bodega'] / rates['bare']:.2f} x bare", end="")
    if "requests" in rates:
        print(f" and {rates['bodega'] / rates['requests']:.1f} x requests in 8 Huey threads")
    else:
        print("; requests is not installed, so it was left out")


def isolation(shop: Shop, args: Any) -> None:
    """Tell how long deliveries to healthy endpoints take, alone and beside bad ones."""
    found: dict[str, list[float]] = {"alone": [], "beside bad ones": []}
    with bound(shop.current), receiver() as (port, received):
        healthy = [webhook(f"http://127.0.0.1:{port}/well/{n}")[0] for n in range(50)]
        bad = [webhook(f"http://127.0.0.1:{port}/{kind}")[0] for kind in ("hang", "fail")]
        for row in bad:
            Webhook.update(timeout=3).where(Webhook.id == row.id).execute()
        for _ in range(args.rounds):
            for name, rows in (("alone", healthy), ("beside bad ones", [*bad, *healthy])):
                Delivery.delete().execute()
                fill(rows, 40)
                began = time.time()
                send_due()
                seen = received()
                assert len(seen) == 2000, len(seen)
                waits = sorted(at - began for _, at in seen)
                found[name].append(waits[int(0.99 * len(waits))])
                run("UPDATE webhooks_endpoint SET failures = 0, paused_until = lease_until")
    for name, waits in found.items():
        print(
            f"{args.engine:9} p99 of 50 healthy endpoints {name}: {statistics.median(waits):.3f} s"
        )
    ratio = statistics.median(found["beside bad ones"]) / statistics.median(found["alone"])
    print(f"{args.engine:9} {ratio:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--isolation", action="store_true")
    args = parser.parse_args()
    configure_logging(Settings(home=Path(), log_level="error"), "benchmark")
    server = servers.postgres() if args.engine == "postgres" else None
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = servers.create_database(server.url, f"bench_{uuid7().hex}") if server else ""
            shop = open_shop(Path(folder), url)
            (isolation if args.isolation else measure)(shop, args)
            shop.databases.close()
    finally:
        if server:
            server.stop()


if __name__ == "__main__":
    main()
