"""How fast points are taken over HTTP, beside a bare COPY: interleaved rounds, medians.

    .venv/bin/python benchmarks/pulses.py [--batches 40] [--size 5000] [--rounds 5] [--engine …]

Each round writes the same number of batches of points that are new: straight into the
table of points, with its index and its partitions, one COPY and one commit for each batch, of
rows that were made before the clock started; and over HTTP to a real server by one client
that keeps its connection, as JSON, as NDJSON and as packed line protocol. What is sent was
made before the clock started, too. COPY is measured as text, as everybody writes it, and in
the binary format that the addon uses. The ways take turns batch by batch: a machine that is
slower for a second is so for all of them.

Rollups are made behind the requests, by a service of the worker, on the
same cores. On SQLite a bare executemany takes the place of COPY.
"""

import argparse
import gzip
import http.client
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bodega.settings import Settings
from bodega.shop import Shop
from bodega_products.api import ProductRow, items_of_skus, upsert
from bodega_pulses import binary_copy, partitions
from bodega_pulses.instants import SECOND, micros
from bodega_sdk import transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import Deployment, environment

PRODUCTS = 10


class Bench:
    """A shop of real processes, and the batches that are written into it."""

    def __init__(self, folder: Path, url: str, size: int) -> None:
        environ = environment(folder / "shop") | ({"DATABASE_URL": url} if url else {})
        self.deployment = Deployment(environ, 1, folder)
        self.deployment.up()
        self.token = self.deployment.log_in()
        self.shop = Shop(Settings(home=folder / "shop", database_url=url, log_level="error"))
        self.shop.refresh()
        self.size, self.on_postgres = size, bool(url)
        # Each batch is of times that no other is of.
        self.next = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
        with bound(self.shop.current):
            rows = [ProductRow(f"B-{n}", {"name": f"B {n}", "price_minor": 1}) for n in range(10)]
            with transaction():
                upsert(rows, "bench")
            skus = [row.sku for row in rows]
            self.products = [items_of_skus(skus)[sku][0] for sku in skus]
            partitions.make(
                {(d.year, d.month) for d in (self.next + timedelta(30 * n) for n in range(3))}
            )
        self.connection = http.client.HTTPConnection("127.0.0.1", self.deployment.port)

    def close(self) -> None:
        self.shop.databases.close()
        self.deployment.stop()

    def batch(self) -> list[tuple[int, int, float]]:
        """Return (product's place, microseconds, value), of a second each."""
        begin, self.next = self.next, self.next + timedelta(seconds=self.size // PRODUCTS + 1)
        first = micros(begin)
        return [
            (n % PRODUCTS, first + n // PRODUCTS * SECOND, n % 997 / 7) for n in range(self.size)
        ]

    def post(self, path: str, body: bytes, media: str, packed: bool) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": media}
        headers |= {"Content-Encoding": "gzip"} if packed else {}
        self.connection.request("POST", f"/api/v1/pulses{path}", body, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        assert answer.status in (200, 204), said


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat().replace("+00:00", "Z")


def as_json(bench: Bench, batch: list[tuple[int, int, float]]) -> bytes:
    return orjson.dumps(points(bench, batch))


def as_lines(bench: Bench, batch: list[tuple[int, int, float]]) -> bytes:
    return b"\n".join(map(orjson.dumps, points(bench, batch)))


def points(bench: Bench, batch: list[tuple[int, int, float]]) -> list[dict[str, Any]]:
    return [
        {"product": str(bench.products[place]), "timestamp": iso(at), "value": value, "unit": "C"}
        for place, at, value in batch
    ]


def as_influx(bench: Bench, batch: list[tuple[int, int, float]]) -> bytes:
    text = "\n".join(
        f"m,product={bench.products[place]},unit=C value={value} {at}000"
        for place, at, value in batch
    )
    return gzip.compress(text.encode(), 1)


def copied(bench: Bench, batch: list[Any], binary: bool) -> Callable[[], None]:
    """Return what writes a batch straight into the table."""
    database = bench.shop.databases.shop
    rows = sorted((1_000_000 + place, at, value) for place, at, value in batch)
    columns = [list(column) for column in zip(*rows, strict=True)]
    data = "".join(f"{a}\t{b}\t{c!r}\n" for a, b, c in rows).encode()
    if binary:
        data = binary_copy.HEADER + binary_copy.packed("iqd", columns) + binary_copy.END
    form = " (FORMAT binary)" if binary else ""

    def write() -> None:
        with database.atomic():
            cursor = database.cursor()
            if bench.on_postgres:
                sql = f"COPY pulses_point (series, at, value) FROM STDIN{form}"
                cursor.copy_expert(sql, io.BytesIO(data), 1 << 20)
            else:
                sql = "INSERT INTO pulses_point (series, at, value) VALUES (?, ?, ?)"
                cursor.executemany(sql, rows)

    return write


INFLUX = "/influx/api/v2/write"
WAYS: dict[str, tuple[Any, str, str, bool]] = {
    "JSON": (as_json, "", "application/json", False),
    "NDJSON": (as_lines, "", "application/x-ndjson", False),
    "line protocol, gzip": (as_influx, INFLUX, "text/plain", True),
}


def writers(bench: Bench) -> dict[str, Callable[[], Callable[[], None]]]:
    """Return way → what makes ready a batch, and returns what writes it."""
    found: dict[str, Callable[[], Callable[[], None]]] = {}
    for name, binary in (("COPY, text", False), ("COPY, binary", True)):
        if bench.on_postgres or not binary:
            found[name] = lambda binary=binary: copied(bench, bench.batch(), binary)
    for name, (make, *how) in WAYS.items():
        found[name] = lambda make=make, how=how: partial(
            bench.post, how[0], make(bench, bench.batch()), *how[1:]
        )
    return found


def round_of(bench: Bench, batches: int) -> dict[str, float]:
    """Return way → points a second."""
    ways = writers(bench)
    ready = {name: [prepare() for _ in range(batches)] for name, prepare in ways.items()}
    names, spent = list(ways), dict.fromkeys(ways, 0.0)
    # The server has hung up meanwhile, perhaps.
    bench.connection.close()
    bench.connection.connect()
    for number in range(batches):
        # Nobody is always behind the same one.
        for name in names[number % len(names) :] + names[: number % len(names)]:
            began = time.perf_counter()
            ready[name][number]()
            spent[name] += time.perf_counter() - began
    return {name: batches * bench.size / seconds for name, seconds in spent.items()}


def measure(engine: str, batches: int, size: int, rounds: int) -> None:
    folder = Path(tempfile.mkdtemp())
    server = servers.postgres() if engine == "postgresql" else None
    url = servers.create_database(server.url, "pulses") if server else ""
    bench = Bench(folder, url, size)
    try:
        round_of(bench, 2)
        found = [round_of(bench, batches) for _ in range(rounds)]
        print(f"\n{engine}: {rounds} rounds of {batches} batches of {size:,} points, medians")
        for name in found[0]:
            rate = statistics.median(one[name] for one in found)
            ratio = statistics.median(one[name] / one["COPY, text"] for one in found)
            print(f"  {name:22} {rate:12,.0f} points/s   {ratio:5.2f} x COPY")
    finally:
        bench.close()
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--size", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    for engine in (given.engine,) if given.engine else ("postgresql", "sqlite"):
        measure(engine, given.batches, given.size, given.rounds)


if __name__ == "__main__":
    main()
