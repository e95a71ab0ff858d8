"""500 writes while everything is killed at random: no fact is lost, and none invented."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from redis import Redis
from redis.exceptions import RedisError

from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_products.models import Product
from bodega_sdk import now
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import Deployment, environment
from bodega_webhooks.models import Delivery, Endpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

WRITES, WRITERS = 500, 4
#: Seconds between two writes of a writer, and between two deaths.
PAUSE, SECONDS_APART = 0.15, (1.5, 4.0)


class Sink(ThreadingHTTPServer):
    """A receiver that fails now and then, never twice at one event, and remembers what it took."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        # What an event is about → the ids of the messages that told of it.
        self.told: dict[str, set[str]] = defaultdict(set)
        self.lock = threading.Lock()
        self.requests = 0
        self.failed: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    """Takes a request, but about every twentieth."""

    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests += 1
            fails = self.server.requests % 20 == 0 and body["key"] not in self.server.failed
            if fails:
                self.server.failed.add(body["key"])
            else:
                self.server.told[body["key"]].add(self.headers["webhook-id"])
        self.send_response(500 if fails else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


class Mortal:
    """A database server of the test's own, which can be killed and comes back."""

    def __init__(self, server: servers.Server) -> None:
        assert server.process is not None, "this test kills servers: it needs one of its own"
        self.server, self.process = server, server.process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + 30
        while not self._begin():
            assert time.monotonic() < deadline, "the server did not come back"

    def _begin(self) -> bool:
        assert self.server.folder is not None
        owner = self.server.folder.stat()
        as_owner: dict[str, Any] = {}
        if owner.st_uid != os.getuid():
            as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": ()}
        self.process = subprocess.Popen(
            self.process.args, cwd=self.server.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            **as_owner,
        )  # fmt: skip
        for _ in range(50):
            time.sleep(0.1)
            if self.process.poll() is not None:
                return False  # Children of the killed one still hold its memory.
            if self._answers():
                return True
        return False

    def _answers(self) -> bool:
        try:
            if self.server.url.startswith("redis"):
                with closing(Redis.from_url(self.server.url)) as client:
                    return bool(client.ping())
            psycopg2.connect(self.server.url).close()
        except (RedisError, psycopg2.OperationalError):
            return False
        return True

    def stop(self) -> None:
        self.process.send_signal(self.server.farewell)
        self.process.wait(20)
        self.server.stop()


class Victims:
    """What is killed: the web server, the worker, and the servers behind them."""

    def __init__(self, deployment: Deployment, mortals: list[Mortal]) -> None:
        self._deployment, self.mortals = deployment, mortals
        self.killed: list[str] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def begin(self, name: str) -> None:
        told = {"serve": ("--port", str(self._deployment.port), "--workers", "2"), "worker": ()}
        self._running[name] = self._deployment.start(name, *told[name])

    def kill(self, name: str) -> None:
        process = self._running[name]
        # The web server's workers go with it, as when the machine loses power.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.begin(name)

    def kill_somebody(self, chance: random.Random) -> None:
        choice: Any = chance.choice(["serve", "worker", "worker", *self.mortals])
        if isinstance(choice, str):
            self.kill(choice)
        else:
            choice.kill()
        self.killed.append(choice if isinstance(choice, str) else choice.server.url[:5])


@pytest.fixture(params=["embedded", "distributed"])
def chaos(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Victims]:
    """A shop of real processes, with servers that may be killed."""
    environ, mortals = environment(tmp_path / "shop"), []
    if request.param == "distributed":
        mortals = [Mortal(servers.postgres({**os.environ})), Mortal(servers.redis({**os.environ}))]
        environ["DATABASE_URL"] = servers.create_database(mortals[0].server.url, "chaos")
        environ["REDIS_URL"] = mortals[1].server.url
        with closing(psycopg2.connect(mortals[0].server.url)) as connection:
            connection.autocommit = True
            # What was committed must be there after a crash.
            connection.cursor().execute("ALTER DATABASE chaos SET synchronous_commit = on")
    deployment = Deployment(environ, 2, tmp_path)
    made = Victims(deployment, mortals)
    yield made
    deployment.stop()
    for mortal in mortals:
        mortal.stop()


def run(deployment: Deployment, *arguments: str) -> None:
    done = deployment.command(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def write(deployment: Deployment, token: str, numbers: Iterator[int], lock: Any) -> None:
    """Write products, each until somebody answers; some are refused, and rolled back."""
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        body = {"name": f"Lamp {number}", "sku": f"C-{number}", "price": "9.99"}
        for _ in range(200):
            status, _, _ = deployment.call("POST", "/api/v1/products", body, token)
            if status in (201, 409):
                break
            time.sleep(0.1)
        time.sleep(PAUSE)


def test_what_was_committed_is_delivered_and_nothing_else(chaos: Victims, sink: Sink) -> None:
    deployment = chaos._deployment
    run(deployment, "migrate")
    run(deployment, "settings", "set", "webhooks.allow_hosts", "127.0.0.1")
    chaos.begin("serve")
    chaos.begin("worker")
    deployment.wait_until(lambda: deployment.get("/health/detailed")[0] == 200)
    token = deployment.log_in()
    body = {
        "url": f"http://127.0.0.1:{sink.server_address[1]}/",
        "event_types": ["product.created"],
    }
    status, made, _ = deployment.call("POST", "/api/v1/webhooks", body, token)
    assert status == 201, made

    numbers, lock = iter([*range(WRITES), *range(0, WRITES, 25)]), threading.Lock()
    writers = [
        threading.Thread(target=write, args=(deployment, token, numbers, lock))
        for _ in range(WRITERS)
    ]
    for thread in writers:
        thread.start()
    chance = random.Random(os.environ.get("BODEGA_TEST_SEED", "8"))
    while any(thread.is_alive() for thread in writers):
        time.sleep(chance.uniform(*SECONDS_APART))
        chaos.kill_somebody(chance)
    for thread in writers:
        thread.join()
    assert len(chaos.killed) >= 4, chaos.killed

    committed = products(deployment)
    assert len(committed) >= WRITES * 0.95, f"{len(committed)} were written: {chaos.killed}"
    deadline = time.monotonic() + 150
    while not sink.told.keys() >= committed and time.monotonic() < deadline:
        time.sleep(0.5)
    missing = committed - sink.told.keys()
    assert not missing, f"after {chaos.killed}:\n{told_of(deployment, missing)}"
    assert set(sink.told) == committed, "something was told that never happened"
    doubled = {key: ids for key, ids in sink.told.items() if len(ids) != 1}
    assert not doubled, "duplicates must carry the same id"


def products(deployment: Deployment) -> set[str]:
    """Return the ids of the products that were committed."""
    shop = Shop(read_settings(deployment.environ), connections=2)
    shop.refresh()
    with bound(shop.current):
        found = {str(row.id) for row in Product.select(Product.id)}
    shop.databases.close()
    return found


def told_of(deployment: Deployment, keys: set[str]) -> str:
    """Return how it stands with what did not arrive."""
    shop = Shop(read_settings(deployment.environ), connections=2)
    shop.refresh()
    with bound(shop.current):
        rows = Delivery.select().where(Delivery.event_key.in_(keys))
        told = [f"{row.event_key} {row.status} {row.attempts} {row.due_at} {row.error}"
                for row in rows]  # fmt: skip
        told += [f"{row.sender!r} until {row.lease_until}, rests until {row.paused_until}"
                 for row in Endpoint.select()]  # fmt: skip
    shop.databases.close()
    return "\n".join([f"{len(keys)} missing at {now()}", *told])
