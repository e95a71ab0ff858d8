"""How fast an import is, beside the least a file can cost: interleaved rounds, medians.

    .venv/bin/python benchmarks/imports.py [--rows 100000] [--rounds 3]

The floor reads the file with csv.reader and writes it to the same table, with the same
indexes, in one transaction, by the fastest means the driver has (executemany, COPY);
it checks nothing, resolves no repeated SKU and reports no progress.
"""

import argparse
import csv
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.jobs.runner import Runner
from bodega.settings import Settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_imports.beginning import begin_import
from bodega_sdk.ids import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers

GENERATOR = Path(__file__).parent.parent / "tests" / "data" / "make_products_csv.py"
COLUMNS = (
    "id", "created_at", "updated_at", "name", "slug", "sku", "sku_key", "description",
    "price_minor", "currency", "image_url", "is_active", "is_featured", "search_text",
)  # fmt: skip


def make_file(folder: Path, rows: int) -> Path:
    path = folder / "products.csv"
    with path.open("wb") as file:
        command = [sys.executable, str(GENERATOR), str(rows)]
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)
    return path


def open_shop(folder: Path, url: str) -> Shop:
    shop = Shop(Settings(home=folder, database_url=url, log_level="error"))
    lifecycle.prepare(shop, Edition("bench", ("accounts", "products", "imports")))
    shop.refresh()
    return shop


def empty(shop: Shop) -> None:
    shop.databases.shop.execute_sql("DELETE FROM products_product")


def bodega(shop: Shop, file: Path) -> float:
    with bound(shop.current):
        begin_import(file.name, file.stat().st_size, "bench", lambda to: shutil.copyfile(file, to))
    began = time.perf_counter()
    Runner(shop, "bench", threads=2).run_next("bulk")
    return time.perf_counter() - began


def records(file: Path) -> Iterator[tuple[Any, ...]]:
    stamp = datetime.now(UTC).isoformat()
    seen = set()
    with file.open(newline="") as stream:
        for number, row in enumerate(csv.reader(stream)):
            if len(row) != 5 or row[0].lower() in seen or not row[3].replace(".", "").isdigit():
                continue
            seen.add(row[0].lower())
            price = int(row[3].replace(".", ""))
            yield (uuid7().hex, stamp, stamp, row[1], f"{number}", row[0][:100],
                   row[0].lower()[:90] + str(number), row[2], price, "USD", "",
                   row[4] == "true", False, row[1])  # fmt: skip


def floor_sqlite(shop: Shop, file: Path) -> float:
    began = time.perf_counter()
    marks = ", ".join("?" * len(COLUMNS))
    with shop.databases.shop.atomic():
        shop.databases.shop.cursor().executemany(
            f"INSERT INTO products_product ({', '.join(COLUMNS)}) VALUES ({marks})", records(file)
        )
    return time.perf_counter() - began


def floor_postgres(shop: Shop, file: Path) -> float:
    began = time.perf_counter()
    buffer = io.StringIO()
    csv.writer(buffer).writerows(records(file))
    buffer.seek(0)
    with shop.databases.shop.atomic():
        shop.databases.shop.cursor().copy_expert(
            f"COPY products_product ({', '.join(COLUMNS)}) "
            "FROM STDIN (FORMAT csv, FORCE_NOT_NULL (image_url))",
            buffer,
        )
    return time.perf_counter() - began


def measure(name: str, shop: Shop, file: Path, rounds: int, rows: int,
            floor: Callable[[Shop, Path], float]) -> None:  # fmt: skip
    new, same, least = [], [], []
    for _ in range(rounds):
        empty(shop)
        new.append(bodega(shop, file))
        same.append(bodega(shop, file))
        empty(shop)
        least.append(floor(shop, file))
    for label, times in (("new table", new), ("same file again", same), ("floor", least)):
        middle = statistics.median(times)
        ratio = middle / statistics.median(least)
        print(f"{name:10}  {label:16} {middle:7.2f} s  {rows / middle:9,.0f} rows/s  "
              f"{ratio:5.1f} x floor")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    configure_logging(Settings(home=Path(), log_level="error"), "benchmark")
    server = servers.postgres()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            file = make_file(folder, args.rows)
            lite = open_shop(folder / "sqlite", "")
            measure("SQLite", lite, file, args.rounds, args.rows, floor_sqlite)
            lite.databases.close()
            url = servers.create_database(server.url, f"bench_{uuid7().hex}")
            post = open_shop(folder / "postgres", url)
            measure("PostgreSQL", post, file, args.rounds, args.rows, floor_postgres)
            post.databases.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
