"""How fast an export is, beside the least a file can cost: interleaved rounds, medians.

    .venv/bin/python benchmarks/exports.py [--rows 500000] [--rounds 3]

The floor on PostgreSQL is one `COPY (SELECT the same columns) TO STDOUT` into a file, as the
columns stand in the table; on SQLite a cursor and csv.writer. It orders nothing, escapes no
formula, writes no amounts as decimals, hashes nothing and tells no progress. RSS is that of this
process while our job runs, over what it was before: one process per engine would not differ.
"""

import argparse
import csv
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.jobs.runner import Runner
from bodega.settings import Settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_imports.export_jobs import Wanted, begin_export
from bodega_imports.export_models import Export
from bodega_imports.exporting import file_of
from bodega_products import api as products
from bodega_sdk import database
from bodega_sdk.ids import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers

COLUMNS = (
    "sku, name, slug, description, price_minor, compare_at_minor, currency, category_id, "
    "image_url, is_active"
)
TEXTS = (
    'Soft, warm and "just right".', "Fits most sizes, ships flat.", "Größe wählen; très léger.",
    "Two lines\nof text.", "100 percent cotton", "保温杯 – keeps heat 12 h", "No description",
)  # fmt: skip


def open_shop(folder: Path, url: str) -> Shop:
    shop = Shop(Settings(home=folder, database_url=url, log_level="error"))
    lifecycle.prepare(shop, Edition("bench", ("accounts", "products", "imports")))
    shop.refresh()
    return shop


def fill(rows: int) -> None:
    """Make products whose SKUs are in another order than their ids."""
    size = 2500
    for start in range(0, rows, size):
        some = [
            products.ProductRow(
                f"SKU-{at * 7919 % 1_000_003:07}",
                {"name": f"Slim Jacket {at}", "description": TEXTS[at % 7],
                 "price_minor": 99 + at % 99_999, "is_active": at % 2 == 0},
            )
            for at in range(start, min(start + size, rows))
        ]  # fmt: skip
        products.upsert(some, "bench")
    if hasattr(database.obj, "for_update") and database.obj.for_update:
        database.execute_sql("ANALYZE products_product")


def bodega(shop: Shop, format: str, compression: str) -> tuple[float, float, int]:
    """Return the seconds of the job, the megabytes that RSS grew by, and the file's bytes."""
    names = [item.name for item in products.checked_columns(None, None)]
    run = begin_export(Wanted(names, format, compression), "bench")
    with _Growth() as growth:
        began = time.perf_counter()
        Runner(shop, "bench", threads=2).run_next("bulk")
        seconds = time.perf_counter() - began
    done = Export.get_by_id(run.id)
    path = file_of(done)
    if path is None:
        raise SystemExit(f"the export failed: {done.message}")
    size = path.stat().st_size
    path.unlink()
    return seconds, growth.megabytes, size


class _Growth:
    """Watches the resident memory of this process."""

    def __enter__(self) -> "_Growth":
        self._before, self.megabytes, self._done = _resident(), 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.megabytes = max(self.megabytes, (_resident() - self._before) / 2**20)


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def floor_sqlite(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        cursor = database.execute_sql(f"SELECT {COLUMNS} FROM products_product")
        csv.writer(file, lineterminator="\n").writerows(cursor)


def floor_postgres(path: Path) -> None:
    with path.open("wb") as file, database.atomic():
        query = f"COPY (SELECT {COLUMNS} FROM products_product) TO STDOUT (FORMAT csv)"
        database.cursor().copy_expert(query, file)


KINDS = (("csv", "none"), ("csv", "gzip"), ("jsonl", "none"), ("xlsx", "none"))


def measure(name: str, shop: Shop, folder: Path, rounds: int, rows: int,
            floor: Callable[[Path], None]) -> None:  # fmt: skip
    times: dict[str, list[float]] = {}
    grown: dict[str, float] = {}
    bodega(shop, "csv", "none")  # What is imported once is no growth of an export.
    for turn in range(rounds):
        for format, compression in KINDS if turn == 0 else KINDS[:3]:
            kind = format if compression == "none" else f"{format}.{compression}"
            seconds, growth, _ = bodega(shop, format, compression)
            times.setdefault(kind, []).append(seconds)
            grown[kind] = max(grown.get(kind, 0.0), growth)
        began = time.perf_counter()
        floor(folder / "floor.csv")
        times.setdefault("floor", []).append(time.perf_counter() - began)
    least = statistics.median(times["floor"])
    for kind, found in times.items():
        middle = statistics.median(found)
        print(f"{name:10}  {kind:9} {middle:7.2f} s  {rows / middle:9,.0f} rows/s  "
              f"{middle / least:5.1f} x floor  RSS + {grown.get(kind, 0):4.0f} MB")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    configure_logging(Settings(home=Path(), log_level="error"), "benchmark")
    server = servers.postgres()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            url = servers.create_database(server.url, f"bench_{uuid7().hex}")
            for kind, where, floor in (
                ("SQLite", "", floor_sqlite), ("PostgreSQL", url, floor_postgres),
            ):  # fmt: skip
                shop = open_shop(folder / kind, where)
                with bound(shop.current):
                    fill(args.rows)
                    measure(kind, shop, folder, args.rounds, args.rows, floor)
                shop.databases.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
