"""Bodega's API beside bare Falcon with psycopg2 (the floor) and Django REST framework.

    .venv/bin/python benchmarks/http/compare.py [--products 100000] [--rounds 3] [--seconds 3]

All three answer from the same tables of one PostgreSQL, with the same members, under gunicorn's
thread workers, 2 processes of 4 threads. Cells are interleaved: each round asks all of them one
after the other; what is told are medians of rounds. ``list`` and ``filter`` ask for one of the
first 20 pages of 50, ``detail`` for one of 1,000 products, ``tree`` for all categories with
their numbers of products (not of Django). Bodega's ``list``, ``filter``, ``detail`` and ``tree``
send an ``Accept-Language`` for which no answer is kept, so each is made anew;
``cached`` does not, with Redis, beside Django's ``cache_page`` with the same Redis. Where granian
is installed, Bodega is also asked under it (``granian``), by the same number of threads. Bodega is
told that all of its processes run on this machine, unless ``--machines several``.

The load comes from the same machine, so rates of fast cells are also its limits: the CPU that
the server spends on a request is the firmer number. Django is installed into an environment
of its own, which is made anew unless ``--venv`` names one.
"""

import argparse
import http.client
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.shop import Shop
from bodega_sdk.ids import uuid7
from bodega_sdk.models import database
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import environment, free_port
from bodega_sdk.testing.shop import settings_for

HERE = Path(__file__).parent
LIST = "/api/v1/products?page_size=50&page={page}"
FILTER = LIST + "&category=group-{group}&price_min=10.00&price_max=900.00"
_FRESH = f"Accept-Language: {'x' * 201}\r\n"
_TICK = os.sysconf("SC_CLK_TCK")
_GUNICORN = ("-k", "gthread", "-w", "2", "--threads", "4", "--keep-alive", "5",
             "--log-level", "warning", "--no-control-socket")  # fmt: skip


@dataclass
class Peer:
    """A server that is asked."""

    name: str
    port: int
    pid: int


@dataclass
class Cell:
    """What one peer is asked for, and what came of it."""

    kind: str
    peer: Peer
    requests: list[str]
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Return the median of its rounds."""
        return statistics.median(item[name] for item in self.rounds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of a cell in a round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--venv", type=Path, help="where Django is, or is put")
    parser.add_argument("--limits", action="store_true", help="count requests against a limit")
    parser.add_argument("--machines", default="one", choices=("one", "several"))
    parser.add_argument("--only", default="", help="kinds of cells, separated by commas")
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres, redis = servers.postgres(), servers.redis()
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        url = servers.create_database(postgres.url, f"benchmark_{uuid7().hex}")
        stack.callback(servers.drop_database, postgres.url, url.rpartition("/")[2])
        ids = fill(folder, url, told.products)
        environ = {"DATABASE_URL": url, "REDIS_URL": redis.url}
        peers = start(stack, folder, environ, told)
        cells = [cell for cell in make_cells(peers, ids) if cell.kind in (told.only or cell.kind)]
        database_pid = postgres.process.pid if postgres.process else 0
        measure(cells, told, database_pid)
        report(cells)


def fill(folder: Path, url: str, products: int) -> list[UUID]:
    """Make a shop with so many products in 50 categories; return the ids of a thousand."""
    shop = Shop(settings_for(folder / "shop", url), build_app)
    lifecycle.prepare(shop, Edition("benchmark", ("accounts", "products")))
    shop.refresh()
    from bodega_products.models import Category, Product, Variant

    with bound(shop.current):
        groups = {"name": "'Group ' || n", "slug": "'group-' || n", "path": "n || '/'"}
        _insert(Category, groups, 50)
        _insert(Product, {
            "name": "'Product ' || n", "slug": "'product-' || n", "sku": "'SKU-' || n",
            "sku_key": "'sku-' || n", "search_text": "'product ' || n",
            "description": "repeat('Words about it. ', 5)",
            "price_minor": "(n * 7919) % 100000", "currency": "'EUR'",
            "category": "(SELECT id FROM products_category WHERE slug = 'group-' || (n % 50 + 1))",
        }, products)  # fmt: skip
        for table in ("category", "product", "variant"):
            database.execute_sql(f"VACUUM ANALYZE products_{table}")
        query = Product.select(Product.id).order_by(Product.created_at.desc()).limit(1000)
        found = [row[0] for row in query.tuples()]
        assert Variant.select().count() == 0
    shop.databases.close()
    shop.databases.shop.close_all()
    return found


def _insert(model: Any, told: Mapping[str, str], rows: int) -> None:
    """Insert rows numbered n: what is told as SQL, everything else as by default."""
    usual = model(**{name: None for name in told if name == "category"})
    columns, values, params = [], [], []
    for name, item in model._meta.fields.items():
        columns.append(f'"{item.column_name}"')
        if name == "id":
            values.append("gen_random_uuid()")
        elif name in ("created_at", "updated_at"):
            values.append("now() - n * interval '1 second'")
        elif name in told:
            values.append(told[name].replace("%", "%%"))
        else:
            values.append("%s")
            params.append(item.db_value(getattr(usual, name)))
    sql = (
        f"INSERT INTO {model._meta.table_name} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM generate_series(1, {rows}) AS n"
    )
    database.execute_sql(sql, params)


def start(
    stack: ExitStack, folder: Path, environ: Mapping[str, str], told: argparse.Namespace
) -> dict[str, Peer]:
    """Start what is compared; Django is left out when it cannot be had."""
    limit = "999999999/86400" if told.limits else "off"
    own = environment(
        folder / "shop", BODEGA_RATE_LIMIT=limit, BODEGA_LOG_LEVEL="error",
        BODEGA_MACHINES=told.machines, **environ,
    )  # fmt: skip
    port = free_port()
    serve = ("-m", "bodega", "serve", "--port", str(port), "--workers", "2", "--threads", "4")
    peers = {"bodega": stack.enter_context(running("bodega", port, (sys.executable, *serve), own))}
    if importlib.util.find_spec("granian"):
        port = free_port()
        serve = (
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--port",
            str(port),
            "--workers",
            "2",
            "--blocking-threads",
            "4",
            "--log-level",
            "warning",
            "bodega.wsgi:app",
        )
        command = (sys.executable, *serve)
        peers["granian"] = stack.enter_context(running("granian", port, command, own))
    others = {"floor": Path(sys.executable)}
    django = django_in(told.venv or folder / "venv")
    if django is None:
        print("No package index has Django and Django REST framework: they are left out.")
    else:
        others["drf"] = django
    for name, python in others.items():
        port = free_port()
        command = (str(python), "-m", "gunicorn", *_GUNICORN, "-b", f"127.0.0.1:{port}",
                   "--chdir", str(HERE), f"{name}:app")  # fmt: skip
        peers[name] = stack.enter_context(running(name, port, command, {**os.environ, **environ}))
    return peers


def django_in(venv: Path) -> Path | None:
    """Return the Python of an environment with Django; None when it cannot be had."""
    python = venv / "bin" / "python"
    if python.exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    wanted = ("django", "djangorestframework", "psycopg2-binary", "gunicorn", "redis")
    install = [str(python), "-m", "pip", "install", "--quiet", *wanted]
    return python if subprocess.run(install, check=False).returncode == 0 else None


@contextmanager
def running(
    name: str, port: int, command: tuple[str, ...], environ: Mapping[str, str]
) -> Iterator[Peer]:
    """Run a server for as long as the block takes."""
    process = subprocess.Popen(command, env=dict(environ))
    try:
        deadline = time.monotonic() + 60
        while ask(port, "/api/v1/products?page_size=1") is None:
            assert process.poll() is None, f"{name} ended"
            assert time.monotonic() < deadline, f"{name} does not answer"
            time.sleep(0.2)
        yield Peer(name, port, process.pid)
    finally:
        process.terminate()
        process.wait(40)


def ask(port: int, path: str) -> Any:
    """Return the JSON of an answer; None when there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except OSError:
        return None
    finally:
        connection.close()


def make_cells(peers: Mapping[str, Peer], ids: list[UUID]) -> list[Cell]:
    """Return what each peer is asked for, after seeing that all answer alike."""
    kinds = {
        "list": [LIST.format(page=page) for page in range(1, 21)],
        "filter": [FILTER.format(page=n % 20 + 1, group=n % 50 + 1) for n in range(100)],
        "detail": [f"/api/v1/products/{key}" for key in ids],
        "tree": ["/api/v1/categories/tree"] * 4,
    }
    for kind, paths in kinds.items():
        asked = {name: peer for name, peer in peers.items() if (kind, name) != ("tree", "drf")}
        answers = {name: ask(peer.port, paths[3]) for name, peer in asked.items()}
        compare_answers(kind, answers)
    cells = [
        Cell(kind, peer, [_request(path, _FRESH) for path in random.sample(paths, len(paths))])
        for kind, paths in kinds.items()
        for peer in peers.values()
        if (kind, peer.name) != ("tree", "drf")
    ]
    cached = [_request(path) for path in kinds["list"]]
    cells += [
        Cell("cached", peers[name], cached) for name in ("bodega", "granian") if name in peers
    ]
    if "drf" in peers:
        moved = [item.replace("/api/v1/", "/cached/") for item in cached]
        cells.append(Cell("cached", peers["drf"], moved))
    return cells


def compare_answers(kind: str, answers: Mapping[str, Any]) -> None:
    """Say so where a peer shows something else than Bodega does."""
    rows = {
        name: answer.get("results", answer.get("categories", [answer]))
        for name, answer in answers.items()
    }
    for name, shown in rows.items():
        differs = [
            key
            for mine, theirs in zip(rows["bodega"], shown, strict=True)
            for key in mine.keys() | theirs.keys()
            if mine.get(key, "") != theirs.get(key, "")
        ]
        if differs:
            print(f"{kind}: {name} shows other values of {', '.join(sorted(set(differs)))}")


def _request(path: str, headers: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"


def measure(cells: list[Cell], told: argparse.Namespace, database_pid: int) -> None:
    """Ask all cells in turn, a short round first that counts for nothing."""
    for number in range(told.rounds + 1):
        for cell in cells:
            seconds = told.seconds if number else min(1.0, told.seconds)
            before = cpu(cell.peer.pid), cpu(database_pid)
            found = load(cell, told.connections, seconds)
            spent = cpu(cell.peer.pid) - before[0], cpu(database_pid) - before[1]
            found["rate"] = found["requests"] / found["seconds"]
            found["server"] = spent[0] / found["requests"] * 1e6
            found["database"] = spent[1] / found["requests"] * 1e6
            assert not found["errors"], f"{cell.peer.name} {cell.kind}: {found['errors']} errors"
            if number:
                cell.rounds.append(found)
        print(f"round {number} of {told.rounds}", file=sys.stderr, flush=True)


def load(cell: Cell, connections: int, seconds: float) -> dict[str, Any]:
    """Ask a peer for so long, from a process of its own."""
    command = [sys.executable, str(HERE / "load.py"), str(cell.peer.port), str(connections),
               str(seconds)]  # fmt: skip
    lines = "\n".join(map(json.dumps, cell.requests))
    told = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and those below it spent."""
    if not pid:
        return 0.0
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid in (int(path.parent.name), int(found[1])):
            total += sum(map(int, found[11:15])) / _TICK
    return total


def report(cells: list[Cell]) -> None:
    """Print the table."""
    print("| | | req/s | x drf | x floor | p50 ms | p99 ms | server CPU µs | PG CPU µs |")
    print("|---|---|---|---|---|---|---|---|---|")
    rates = {(cell.kind, cell.peer.name): cell.median("rate") for cell in cells}
    for cell in cells:
        rate = cell.median("rate")
        versus = [
            f"{rate / rates[cell.kind, name]:.2f}" if (cell.kind, name) in rates else ""
            for name in ("drf", "floor")
        ]
        numbers = [f"{cell.median(name):.1f}" for name in ("p50", "p99")]
        costs = [f"{cell.median(name):.0f}" for name in ("server", "database")]
        row = (cell.kind, cell.peer.name, f"{rate:.0f}", *versus, *numbers, *costs)
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
