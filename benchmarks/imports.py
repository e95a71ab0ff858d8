"""How fast an import is, beside scripts that do the same: interleaved rounds, medians.

    .venv/bin/python benchmarks/imports.py [--rows 100000] [--rounds 3]

The script reads the file, checks every cell by the same rules, lets the last row of a SKU
win, leaves alone what is there already, and writes the same tables with the same indexes, the
words of the search among them; on PostgreSQL over two connections, each with half of the
SKUs, by COPY. It has no jobs, events, progress, report, categories, slugs, variants, vendors
or extensions, and does all of it in one transaction. Three states of the table: empty, every
product there with another price, and everything there as in the file.

Two more peers fill the empty table with the first rows of the file, through the ORM:
``bulk_create`` checks cells as the script does, and inserts 500 rows at a time; ``serializer``
has each row loaded by the schema of the API, asks which SKUs there are, and inserts likewise.
Neither writes the words of the search.

The floor is the least a file can cost: csv.reader and COPY or executemany into the empty table
of products alone. It checks next to nothing.
"""

import argparse
import csv
import io
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import psycopg2

from bodega import startup
from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.jobs.runner import Runner
from bodega.settings import Settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_imports.beginning import begin_import
from bodega_products.models import Product
from bodega_products.schemas import ProductSchema
from bodega_products.search_words import field, sku_field
from bodega_products.text import search_text, sku_key, slug_for
from bodega_sdk.ids import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.schemas import ValidationError
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


def checked(file: Path) -> dict[str, tuple[Any, ...]]:
    """Read the good rows of a file by SKU key; the last one wins."""
    price = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2})0*)?").fullmatch
    active = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    rows = {}
    with file.open(newline="", encoding="utf-8") as stream:
        records = csv.reader(stream)
        width = len(next(records))
        for row in records:
            if len(row) != width or "\0" in "".join(row):
                continue
            sku, name = row[0].strip(), row[1].strip()
            amount, switch = price(row[3].strip()), active.get(row[4].strip().lower())
            if not sku or not name or amount is None or switch is None:
                continue
            if len(sku) > 100 or len(name) > 255 or len(row[2]) > 100_000:
                continue
            minor = int(amount[1] + (amount[2] or "").ljust(2, "0"))
            rows[sku_key(sku)] = (sku, name, row[2], minor, switch)
    return rows


def whole(key: str, row: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return a row of the products, and one of the search."""
    sku, name, description, minor, switch = row
    id = uuid7().hex
    product = (id, STAMP, STAMP, name, slug_for(name, key), sku, key, description, minor, "USD", "",
               switch, False, search_text(name, sku))  # fmt: skip
    words = (id, field(name, 100), sku_field(sku), "", "", field(description, 2000, join=False))
    return product, words


STAMP = datetime.now(UTC).isoformat()
SEARCH = ("product_id", "name", "sku", "tags", "category", "description")
STAGED = ("sku_key", "sku", "name", "description", "price_minor", "is_active")
NEW = """
SELECT staged.sku_key, item.id FROM staged LEFT JOIN products_product item USING (sku_key)
WHERE item.id IS NULL OR (item.sku, item.name, item.description, item.price_minor, item.is_active)
{differ} (staged.sku, staged.name, staged.description, staged.price_minor, staged.is_active)
"""
CHANGE = """
UPDATE products_product SET sku = staged.sku, name = staged.name,
    description = staged.description, price_minor = staged.price_minor,
    is_active = staged.is_active, search_text = lower(staged.name || ' ' || staged.sku),
    updated_at = {stamp}
FROM staged WHERE products_product.sku_key = staged.sku_key AND products_product.id IN
    (SELECT id FROM changed)
"""


def copy(cursor: Any, into: str, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    cursor.copy_expert(
        f"COPY {into} ({', '.join(columns)}) FROM STDIN (FORMAT csv, NULL 'null')", buffer, 1 << 16
    )


def half(url: str, rows: dict[str, tuple[Any, ...]]) -> None:
    """Write some rows over a connection of its own."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE staged (sku_key text, sku text, name text, description text, "
            "price_minor bigint, is_active boolean); CREATE TEMP TABLE changed (id uuid)"
        )
        copy(cursor, "staged", STAGED, ((key, *row) for key, row in rows.items()))
        cursor.execute("ANALYZE staged")
        cursor.execute(NEW.format(differ="IS DISTINCT FROM"))
        found = cursor.fetchall()
        pairs = [whole(key, rows[key]) for key, id in found if id is None]
        copy(cursor, "products_product", COLUMNS, (product for product, _ in pairs))
        copy(cursor, "products_search", SEARCH, (words for _, words in pairs))
        changed = [id for _, id in found if id is not None]
        if changed:
            copy(cursor, "changed", ("id",), ((id,) for id in changed))
            cursor.execute(CHANGE.format(stamp="now()"))
    connection.close()


def script_postgres(shop: Shop, file: Path) -> float:
    began = time.perf_counter()
    halves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for key, row in checked(file).items():
        halves[crc32(key.encode()) % 2][key] = row
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rows: half(shop.settings.database_url, rows), halves))
    return time.perf_counter() - began


def script_sqlite(shop: Shop, file: Path) -> float:
    began = time.perf_counter()
    rows, database = checked(file), shop.databases.shop
    with database.atomic():
        cursor = database.cursor()
        cursor.execute(f"CREATE TEMP TABLE staged ({', '.join(STAGED)})")
        cursor.execute("CREATE TEMP TABLE changed (id)")
        cursor.executemany(
            "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?)",
            ((key, *row) for key, row in rows.items()),
        )
        found = cursor.execute(NEW.format(differ="IS NOT")).fetchall()
        pairs = [whole(key, rows[key]) for key, id in found if id is None]
        marks = ", ".join("?" * len(COLUMNS))
        cursor.executemany(
            f"INSERT INTO products_product ({', '.join(COLUMNS)}) VALUES ({marks})",
            (product for product, _ in pairs),
        )
        cursor.execute("CREATE TEMP TABLE words (a, b, c, d, e, f)")
        cursor.executemany(
            "INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)", (words for _, words in pairs)
        )
        names = ", ".join(SEARCH)
        cursor.execute(f"INSERT INTO products_search ({names}) SELECT a, b, c, d, e, f FROM words")
        changed = [(id,) for _, id in found if id is not None]
        cursor.executemany("INSERT INTO changed VALUES (?)", changed)
        cursor.execute(CHANGE.format(stamp="datetime('now')"))
        for table in ("staged", "changed", "words"):
            cursor.execute(f"DROP TABLE temp.{table}")
    return time.perf_counter() - began


#: Rows that peers of the ORM are given: what each costs does not depend on how many there are.
FEW, CHUNK = 5_000, 500


def beginning(file: Path) -> Path:
    """Return a file with the first rows of another."""
    made = file.with_suffix(".few")
    with file.open("rb") as whole:
        made.write_bytes(b"".join(islice(whole, FEW + 1)))
    return made


def orm_rows(rows: Iterable[dict[str, Any]]) -> list[Product]:
    return [
        Product(
            **row, slug=slug_for(row["name"], key := sku_key(row["sku"])), sku_key=key,
            currency="USD", search_text=search_text(row["name"], row["sku"]),
        )
        for row in rows
    ]  # fmt: skip


def bulk_create(shop: Shop, file: Path) -> float:
    """Return seconds for a row."""
    began = time.perf_counter()
    names = ("sku", "name", "description", "price_minor", "is_active")
    rows = [dict(zip(names, row, strict=True)) for row in checked(file).values()]
    with bound(shop.current), shop.databases.shop.atomic():
        for at in range(0, len(rows), CHUNK):
            Product.bulk_create(orm_rows(rows[at : at + CHUNK]))
    return (time.perf_counter() - began) / FEW


def serializer(shop: Shop, file: Path) -> float:
    """Return seconds for a row."""
    began = time.perf_counter()
    with file.open(newline="", encoding="utf-8") as stream, bound(shop.current):
        records = csv.DictReader(stream)
        with shop.databases.shop.atomic():
            while chunk := list(islice(records, CHUNK)):
                _load_and_insert(chunk)
    return (time.perf_counter() - began) / FEW


def _load_and_insert(chunk: list[dict[str, Any]]) -> None:
    schema, good = ProductSchema(), {}
    for row in chunk:
        with suppress(ValidationError):
            active = (row["is_active"] or "").strip().lower() in ("true", "1", "yes")
            told = schema.load({name: row[name] for name in PLAIN} | {"is_active": active})
            good[sku_key(told["sku"])] = told
    there = Product.select(Product.sku_key).where(Product.sku_key.in_(list(good))).tuples()
    new = good.keys() - {key for (key,) in there}
    names = ("sku", "name", "description", "is_active")
    Product.bulk_create(orm_rows(
        {name: good[key][name] for name in names}
        | {"price_minor": int(good[key]["price"] * 100)} for key in new
    ))  # fmt: skip


PLAIN = ("sku", "name", "description", "price")
STATES = ("empty table", "every price differs", "same file again")
Way = Callable[[Shop, Path], float]


def three(shop: Shop, file: Path, way: Way) -> list[float]:
    """Import into an empty table, into one with other prices, and once more."""
    empty(shop)
    taken = [way(shop, file)]
    shop.databases.shop.execute_sql("UPDATE products_product SET price_minor = price_minor + 1")
    return [*taken, way(shop, file), way(shop, file)]


def measure(name: str, shop: Shop, file: Path, rounds: int, rows: int,
            script: Way, floor: Way) -> None:  # fmt: skip
    ours, theirs, least, plain, validated = [], [], [], [], []
    for _ in range(rounds):
        ours.append(three(shop, file, bodega))
        theirs.append(three(shop, file, script))
        empty(shop)
        least.append(floor(shop, file))
        empty(shop)
        plain.append(bulk_create(shop, beginning(file)))
        empty(shop)
        validated.append(serializer(shop, beginning(file)))
    bottom = statistics.median(least)
    for place, state in enumerate(STATES):
        own, other = (statistics.median(found[place] for found in all) for all in (ours, theirs))
        print(f"{name:10}  {state:20} bodega {own:6.2f} s {rows / own:9,.0f} rows/s   "
              f"script {other:6.2f} s   {own / other:4.2f} x script")  # fmt: skip
    new = statistics.median(found[0] for found in ours) / rows
    for peer, found in (("bulk_create", plain), ("serializer", validated)):
        each = statistics.median(found)
        print(
            f"{name:10}  {peer:20} {1 / each:9,.0f} rows/s   bodega is {each / new:5.2f} x as fast"
        )
    print(f"{name:10}  {'floor, empty table':20} {bottom:13.2f} s {rows / bottom:9,.0f} rows/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    configure_logging(Settings(home=Path(), log_level="error"), "benchmark")
    startup.begin()  # As every process of Bodega.
    server = servers.postgres()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            file = make_file(folder, args.rows)
            lite = open_shop(folder / "sqlite", "")
            measure("SQLite", lite, file, args.rounds, args.rows, script_sqlite, floor_sqlite)
            lite.databases.close()
            url = servers.create_database(server.url, f"bench_{uuid7().hex}")
            post = open_shop(folder / "postgres", url)
            measure(
                "PostgreSQL", post, file, args.rounds, args.rows, script_postgres, floor_postgres
            )
            post.databases.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
