"""What extensions cost a list: 50 of 5,000 products with none, one and five, and asked one by one.

    .venv/bin/python benchmarks/extensions.py [--rounds 9] [--requests 40]

One process, SQLite, the real WSGI application. Each round lists the same page with no
extension, with one and with five enabled, and the peer: no extension, and five companions
read for each of the 50 rows by themselves, as code without a join would. Half of the
products have companions. Medians of interleaved rounds, as ratios to no extension.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from falcon.testing import TestClient

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import Settings
from bodega.shop import Session, Shop
from bodega.telemetry.logging import configure_logging
from bodega_sdk import now, transaction, uuid7
from bodega_sdk.runtime import bound

NAMES = ("aspen", "birch", "cedar", "dogwood", "elm")
ROWS, PAGE = 5_000, 50
MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest(name={name!r}, version="1.0.0", package="bodega_{name}",
                    summary="Made by a benchmark", depends=("products",))
"""
PLUGIN = """
import peewee

from bodega_sdk import Companion, Extension, extends, hookimpl
from bodega_sdk.schemas import Integer, Schema, String


class Extra(Companion):
    id = extends("products.product")
    points = peewee.IntegerField(default=0, index=True)
    label = peewee.CharField(max_length=20, default="none")

    class Meta:
        table_name = "{name}_extra"


class ExtraSchema(Schema):
    points = Integer()
    label = String()


@hookimpl
def register_extensions():
    return [Extension(Extra, ExtraSchema, filters=("points",), orderings=("points",))]
"""
MIGRATION = """
import peewee

from bodega_sdk import extends


def up(migrator, db):
    class Extra(peewee.Model):
        id = extends("products.product")
        points = peewee.IntegerField(index=True)
        label = peewee.CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "{name}_extra"

    db.create_tables([Extra])
"""


def install(site: Path, name: str) -> None:
    package = site / f"bodega_{name}"
    (package / "migrations").mkdir(parents=True)
    files = {"__init__.py": "", "manifest.py": MANIFEST, "plugin.py": PLUGIN,
             "migrations/0001_extra.py": MIGRATION}  # fmt: skip
    for file, text in files.items():
        (package / file).write_text(text.replace("{name!r}", repr(name)).replace("{name}", name))
    info = site / f"bodega_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bodega-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[bodega.addons]\n{name} = bodega_{name}.manifest\n")


def fill(shop: Shop) -> list[Any]:
    """Make products, half of them with companions; return the companions' models."""
    (product,) = (m for m in shop.assembly.models if m._meta.table_name == "products_product")
    stamp = now()
    rows = [
        {"id": uuid7(), "created_at": stamp + timedelta(seconds=n), "updated_at": stamp,
         "name": f"P{n}", "slug": f"p{n}", "sku": f"S{n}", "sku_key": f"s{n}",
         "price_minor": 100, "currency": "USD"}
        for n in range(ROWS)
    ]  # fmt: skip
    found = [item.model for item in shop.assembly.extensions["products.product"]]
    with transaction():
        for start in range(0, ROWS, 500):
            product.insert_many(rows[start : start + 500]).execute()
        for model in found:
            model.write_many({row["id"]: {"points": n} for n, row in enumerate(rows) if n % 2})
    return found


def build(shop: Shop, names: tuple[str, ...]) -> Session:
    """Return a session of the shop with some of the extensions enabled."""
    there = {addon.name for addon in shop.assembly.addons}
    for name in sorted(there & {*NAMES} - {*names}):
        lifecycle.disable(shop, name)
    shop.refresh()
    return shop.current


def page(gate: Gate) -> list[dict[str, Any]]:
    answer = TestClient(gate).simulate_get(f"/api/v1/products?page_size={PAGE}")
    assert answer.status_code == 200
    results: list[dict[str, Any]] = answer.json["results"]
    assert len(results) == PAGE
    return results


def measure(shop: Shop, models: list[Any], rounds: int, requests: int) -> dict[str, float]:
    gate = Gate(shop)
    sessions = {n: build(shop, NAMES[:n]) for n in (5, 1, 0)}

    def asked_one_by_one() -> None:
        for item in page(gate):
            for model in models:
                model.read(UUID(item["id"]))

    kinds: dict[str, tuple[int, Callable[[], object]]] = {
        "no extension": (0, lambda: page(gate)),
        "one": (1, lambda: page(gate)),
        "five": (5, lambda: page(gate)),
        "five, asked one by one": (0, asked_one_by_one),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, (number, ask) in kinds.items():
            shop.current = sessions[number]
            ask()
            began = time.perf_counter()
            for _ in range(requests):
                ask()
            times[name].append((time.perf_counter() - began) / requests)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=40)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        for name in NAMES:
            install(site, name)
        sys.path.insert(0, str(site))
        settings = Settings(home=Path(folder) / "shop", log_level="error")
        configure_logging(settings, "web")
        shop = Shop(settings, build_app)
        lifecycle.prepare(shop, Edition("benchmark", ("accounts", "products", *NAMES)))
        shop.refresh()
        with bound(shop.current):
            found = measure(shop, fill(shop), args.rounds, args.requests)
        shop.databases.close()
    least = found["no extension"]
    for name, seconds in found.items():
        print(f"{name:24} {seconds * 1000:7.2f} ms  {seconds / least:5.2f} x")


if __name__ == "__main__":
    main()
