"""What counting every request costs: limits on and off, interleaved rounds, medians.

    .venv/bin/python benchmarks/ratelimits.py [--requests 300] [--rounds 9] [--redis URL]

``GET /api/v1/products`` of an empty shop, the cheapest answer that reads the database, without
and with a limit that is never reached: first in this process, without a network between; then
through gunicorn (two servers of two processes each, one keep-alive connection). The ratio is
the median with limits to the median without.
"""

import argparse
import http.client
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from falcon import testing

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.perimeter import Quota
from bodega.shop import Shop
from bodega_sdk.testing.deployment import Deployment, environment
from bodega_sdk.testing.shop import settings_for

PATH = "/api/v1/products"
NEVER = Quota(999_999_999, 86_400)

Batch = Callable[[int], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=300, help="of a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--redis", default="", help="where limits are counted; SQLite if empty")
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        for name, pair in (("in process", in_process), ("gunicorn", through_gunicorn)):
            with pair(Path(folder) / name.replace(" ", "-"), told.redis) as (off, on):
                report(name, *compare(off, on, told.requests, told.rounds))


def compare(off: Batch, on: Batch, requests: int, rounds: int) -> tuple[float, float]:
    """Return the median seconds of a request, without limits and with."""
    taken: tuple[list[float], list[float]] = ([], [])
    off(requests), on(requests)
    for _ in range(rounds):
        taken[0].append(off(requests) / requests)
        taken[1].append(on(requests) / requests)
    return statistics.median(taken[0]), statistics.median(taken[1])


def report(name: str, off: float, on: float) -> None:
    print(f"{name:12} off {off * 1e6:7.1f} µs   on {on * 1e6:7.1f} µs   "
          f"+{(on - off) * 1e6:6.1f} µs   ratio {on / off:.3f}", flush=True)  # fmt: skip


@contextmanager
def in_process(folder: Path, redis: str) -> Iterator[tuple[Batch, Batch]]:
    """Two shops in this process, without and with limits."""
    off = settings_for(folder)
    shop = Shop(off, build_app)
    lifecycle.prepare(shop, Edition("benchmark", ("products",)))
    on = replace(off, rate_limit=NEVER, rate_limit_anonymous=NEVER, redis_url=redis)
    shops = [shop, Shop(on, build_app)]
    for item in shops:
        item.refresh()
    yield calling(shops[0]), calling(shops[1])
    for item in shops:
        item.databases.close()


def calling(shop: Shop) -> Batch:
    gate = Gate(shop)

    def batch(requests: int) -> float:
        environs = [testing.create_environ(PATH, remote_addr="192.0.2.1") for _ in range(requests)]
        began = time.perf_counter()
        for environ in environs:
            b"".join(gate(environ, start))
        return time.perf_counter() - began

    return batch


def start(status: str, headers: object, _: object = None) -> None:
    assert status.startswith("200"), status


@contextmanager
def through_gunicorn(folder: Path, redis: str) -> Iterator[tuple[Batch, Batch]]:
    """Two servers, without and with limits."""
    servers = []
    try:
        for name, limit in (("off", "off"), ("on", "999999999/86400")):
            home = folder / name
            home.mkdir(parents=True)
            environ = environment(home / "shop", BODEGA_RATE_LIMIT=limit, BODEGA_LOG_LEVEL="error")
            server = Deployment(environ | ({"REDIS_URL": redis} if redis else {}), 2, home)
            servers.append(server)
            server.start("serve", "--port", str(server.port), "--workers", "2")
            server.wait_until(lambda server=server: server.get("/health")[0] == 200)
        yield asking(servers[0].port), asking(servers[1].port)
    finally:
        for server in servers:
            server.stop()


def asking(port: int) -> Batch:
    def batch(requests: int) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        began = time.perf_counter()
        for _ in range(requests):
            connection.request("GET", PATH)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        taken = time.perf_counter() - began
        connection.close()
        return taken

    return batch


if __name__ == "__main__":
    main()
