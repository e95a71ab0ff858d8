"""How many orders a second can be placed, beside the bare SQL transaction that writes the same.

    .venv/bin/python benchmarks/checkout.py [--orders 400] [--rounds 5] [--engine postgres]

Processes place orders of one thing, all of the same product (``hot``) or of fifty (``spread``):

``request``  ``POST /api/v1/orders`` through the whole application, without a network
``place``    the same without HTTP: quoted, checked, reserved, written, told
``bare``     psycopg2 or sqlite3: the product's price is read, its stock locked and checked, and
             the same rows of the same tables written by prepared texts of SQL; nothing is
             quoted, validated or looked up besides, and nobody else has a say

Rounds are interleaved; medians are told, and their ratios to ``bare``. The PostgreSQL server is
one for tests, which waits for no disk: what is compared is work, not a disk.
"""

import argparse
import io
import json
import multiprocessing
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
from falcon.testing import create_environ

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import Settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_inventory import api as inventory
from bodega_orders.models import Order
from bodega_orders.placing import Buyer, Wish, number_of, place
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk import now, transaction, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers

WAYS, KINDS = ("bare", "place", "request"), ("hot", "spread")
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}
ENVIRON = create_environ(
    "/api/v1/orders", method="POST", headers={"Content-Type": "application/json"}
)
PRODUCTS = 50
#: Tables that one order writes a row to, or more; the column that tells which are the order's.
ROWS = {
    "orders_order": "id", "orders_line": "order_id", "orders_history": "order_id",
    "inventory_movement": "reference", "inventory_reservation": "reference",
}  # fmt: skip


def open_shop(folder: str, url: str) -> Shop:
    settings = Settings(home=Path(folder), database_url=url, log_level="error")
    configure_logging(settings, "benchmark")
    return Shop(settings, build_app, 4)


def fill(shop: Shop) -> None:
    lifecycle.prepare(shop, Edition("bench", ("accounts", "products", "inventory", "orders")))
    shop.refresh()
    with bound(shop.current), transaction():
        upsert(
            [ProductRow(f"P{n}", {"name": f"Lamp {n}", "price_minor": 1000, "currency": "USD"})
             for n in range(PRODUCTS)], "bench", None,
        )  # fmt: skip
        inventory.receive([inventory.Item(row.id, None, 10**8) for row in Product.select()])


# The three ways.


def placed(product: UUID) -> Order:
    wish = Wish(None, ((product, None, 1),), "USD", None, None, ADDRESS, {}, "", None)
    return place(Buyer(None, "ada@shop.example"), wish)


def requested(gate: Gate, product: UUID) -> None:
    items = [{"product": str(product)}]
    sent = {"items": items, "email": "ada@shop.example", "shipping_address": ADDRESS}
    body = json.dumps(sent).encode()
    # As a server calls the application: testing's own client checks each call at length.
    environ = ENVIRON | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    told: list[str] = []
    answer = gate(environ, lambda status, headers, error=None: told.append(status))
    data = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    if not told[0].startswith("201"):
        raise AssertionError(data)


class Bare:
    """Writes what an order writes, by SQL that is ready."""

    def __init__(self, shop: Shop, template: Order) -> None:
        settings = shop.settings
        self._sqlite = not settings.database_url.startswith("postgres")
        self._mark = "?" if self._sqlite else "%s"
        self._connection: Any = (
            sqlite3.connect(shop.databases.shop.database, timeout=60, isolation_level=None)
            if self._sqlite
            else psycopg2.connect(settings.database_url)
        )
        if self._sqlite:
            for pragma in ("journal_mode", "synchronous", "foreign_keys"):
                value = shop.databases.shop.execute_sql(f"PRAGMA {pragma}").fetchone()[0]
                self._connection.execute(f"PRAGMA {pragma} = {value}")
        self._templates = [self._template(table, template) for table in ROWS]
        self._events = self._rows("SELECT * FROM bodega_event ORDER BY id DESC LIMIT 2")
        self._names = sorted({"inventory_level", "inventory_reservation", "inventory_product_stock",
                              "orders_order", "orders_line", "orders_history"})  # fmt: skip
        self._end()

    def _run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(sql.replace("?", self._mark), values)
        return cursor

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        cursor = self._run(sql, values)
        names = [one[0] for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _end(self) -> None:
        if not self._sqlite:
            self._connection.commit()

    def _key(self, key: UUID) -> str:
        return key.hex if self._sqlite else str(key)

    def _template(self, table: str, order: Order) -> tuple[str, dict[str, Any]]:
        known = order.reference if ROWS[table] == "reference" else self._key(order.id)
        (row,) = self._rows(f"SELECT * FROM {table} WHERE {ROWS[table]} = ?", (known,))
        return table, {name: self._plain(value) for name, value in row.items()}

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict | list):
            return json.dumps(value)
        return value

    def order(self, product: UUID) -> None:
        """Place an order of one thing."""
        item, order = self._key(product), uuid7()
        self._run("BEGIN IMMEDIATE" if self._sqlite else "SELECT 1")
        self._run("SELECT price_minor, currency, name, sku FROM products_product WHERE id = ?",
                  (item,)).fetchone()  # fmt: skip
        lock = "" if self._sqlite else " FOR NO KEY UPDATE"
        self._run(f"SELECT stock FROM inventory_product_stock WHERE id = ?{lock}", (item,))
        there = self._run(
            f"SELECT on_hand, reserved FROM inventory_level WHERE id = ?{lock}", (item,)
        ).fetchone()
        if there[0] - there[1] < 1:
            raise AssertionError("out of stock")
        self._write(item, order)
        self._run("UPDATE inventory_level SET reserved = reserved + 1, available = available - 1, "
                  "updated_at = ? WHERE id = ?", (now().isoformat(), item))  # fmt: skip
        self._run("UPDATE inventory_product_stock SET stock = stock - 1 WHERE id = ?", (item,))
        self._tell(order)
        self._version()
        self._run("COMMIT") if self._sqlite else self._connection.commit()

    def _write(self, item: str, order: UUID) -> None:
        own = {"orders_order": {"id": self._key(order), "number": number_of(now()), "cart": None}}
        for table, template in self._templates:
            row = template | {"id": self._key(uuid7())}
            for name, value in (
                ("order_id", self._key(order)), ("item", item), ("product", item),
                ("reference", f"order:{order}"),
            ):  # fmt: skip
                if name in row:
                    row[name] = value
            self._insert(table, row | own.get(table, {}))

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        self._run(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))

    def _tell(self, order: UUID) -> None:
        for event in self._events:
            row = {name: self._plain(value) for name, value in event.items() if name != "id"}
            row["key"] = str(order)
            if self._sqlite:
                # As the outbox numbers them.
                row["offset"] = self._run(
                    "UPDATE bodega_counter SET value = value + 1 WHERE name = 'event_offset' "
                    "RETURNING value"
                ).fetchone()[0]
            self._insert("bodega_event", row)

    def _version(self) -> None:
        stripe = 0 if self._sqlite else id(self) % 16
        larger = "MAX" if self._sqlite else "GREATEST"
        moment = time.time_ns() // 1_000_000
        rows = ", ".join(["(?, ?, ?)"] * len(self._names))
        self._run(
            f"INSERT INTO bodega_collection (name, stripe, version) VALUES {rows} "
            "ON CONFLICT (name, stripe) DO UPDATE SET "
            f"version = {larger}(bodega_collection.version + 1, excluded.version)",
            [value for name in self._names for value in (name, stripe, moment)],
        )


# Processes, and what they are told.


def work(pipe: Connection, folder: str, url: str) -> None:
    shop = open_shop(folder, url)
    shop.refresh()
    gate = Gate(shop)
    with bound(shop.current):
        products = [row.id for row in Product.select(Product.id).order_by(Product.id)]
        template = placed(products[0])
        bare = Bare(shop, template)
        ways: dict[str, Any] = {
            "bare": bare.order, "place": placed,
            "request": lambda product: requested(gate, product),
        }  # fmt: skip
        pipe.send("ready")
        while (told := pipe.recv()) is not None:
            way, kind, count, place_ = told
            some = products[:1] if kind == "hot" else products
            for number in range(count):
                ways[way](some[(number + place_ * 7) % len(some)])
            pipe.send("done")
    shop.databases.close()


@contextmanager
def workers(count: int, folder: str, url: str) -> Iterator[list[Connection]]:
    spawn, pipes, processes = multiprocessing.get_context("spawn"), [], []
    for _ in range(count):
        ours, theirs = multiprocessing.Pipe()
        process = spawn.Process(target=work, args=(theirs, folder, url), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        for pipe in pipes:
            pipe.recv()
        yield pipes
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join(10)


def measure(pipes: list[Connection], way: str, kind: str, orders: int) -> float:
    """Return orders a second."""
    each = max(1, orders // len(pipes))
    began = time.perf_counter()
    for number, pipe in enumerate(pipes):
        pipe.send((way, kind, each, number))
    for pipe in pipes:
        pipe.recv()
    return each * len(pipes) / (time.perf_counter() - began)


def run(engine: str, orders: int, rounds: int, processes: int) -> None:
    server = servers.postgres() if engine == "postgres" else None
    url = servers.create_database(server.url, "bench") if server else ""
    try:
        with tempfile.TemporaryDirectory() as folder:
            shop = open_shop(folder, url)
            fill(shop)
            shop.databases.close()
            with workers(processes, folder, url) as pipes:
                report(engine, pipes, orders, rounds)
    finally:
        if server:
            server.stop()


def report(engine: str, pipes: list[Connection], orders: int, rounds: int) -> None:
    rates: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        for kind in KINDS:
            for way in WAYS:
                rate = measure(pipes, way, kind, orders if number else len(pipes) * 5)
                if number:
                    rates.setdefault((kind, way), []).append(rate)
    for kind in KINDS:
        floor = statistics.median(rates[kind, "bare"])
        for way in WAYS:
            found = statistics.median(rates[kind, way])
            print(f"{engine:9}{kind:8}{way:9}{found:8.0f} orders/s  {found / floor:5.2f} x bare")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--engine", choices=("sqlite", "postgres", "all"), default="all")
    given = parser.parse_args()
    for engine in ("postgres", "sqlite") if given.engine == "all" else (given.engine,):
        run(engine, given.orders, given.rounds, given.processes)


if __name__ == "__main__":
    main()
