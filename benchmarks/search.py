"""How fast a search of 100,000 products is through the shop, beside its SQL by psycopg2.

    .venv/bin/python benchmarks/search.py [--products 100000] [--rounds 5]

Each text is searched for by ``GET /products/search`` (parsing, permissions, count, page,
variants, facets, marks, JSON), without facets, and by the floor: the statements that the
search itself sends, i.e. whether anything is found, the count and the page, prepared by hand
and executed by psycopg2 alone. Rounds are interleaved, medians are shown. Texts differ in a
word that is excluded, so that no kept answer is given.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_products.search_find import find
from bodega_products.search_routes import BOUND
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client

ADJECTIVES = (
    "rugged", "classic", "compact", "folding", "vintage", "brass", "silent", "electric", "woolen",
    "tiny",
)  # fmt: skip
NOUNS = (
    "lamp", "chair", "kettle", "bicycle", "keyboard", "blanket", "mirror", "router", "poster",
    "jacket",
)  # fmt: skip
#: What is told of a text → the text.
TEXTS = {
    "two words, 1 of 100": "rugged lamp",
    "a SKU": "sku 0042137",
    "a slip": "kybeoard 4213",
    "a beginning": "lam 421",
    "one word, 1 of 10": "lamp",
}


def fill(count: int) -> None:
    """Make products; each name has two words and a number."""
    for start in range(0, count, 5000):
        upsert([_row(number) for number in range(start, min(start + 5000, count))], "bench")


def _row(number: int) -> ProductRow:
    name = f"{ADJECTIVES[number % 10]} {NOUNS[number // 10 % 10]} {number}"
    words = " ".join(NOUNS[(number * step) % 7] for step in range(1, 6))
    fields = {
        "name": name, "description": f"A {name} that goes with {words}.",
        "price_minor": 100 + number % 50_000, "category": f"Group {number % 50}",
    }  # fmt: skip
    return ProductRow(f"SKU-{number:07}", fields)


def statements(text: str) -> list[tuple[str, Any]]:
    """Return what the search asks: is there anything, how much, and the first page."""
    found = find(text)
    query = found.joined(Product.select()).where(Product.is_active, Product.deleted_at.is_null())
    best = (found.hits.c.score.desc(), Product.popularity.desc(), Product.id.desc())
    count, params = query.select(Product.id).limit(BOUND + 1).sql()
    return [
        (f"SELECT count(*) FROM ({count}) AS found", params),
        query.order_by(*best).limit(20).sql(),
    ]


def timed(function: Callable[[], Any]) -> float:
    """Return how many milliseconds a call takes."""
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000


def measure(client: Client, connection: Any, text: str, rounds: int) -> list[list[float]]:
    """Return the times of the whole search, of it without facets, and of the floor."""
    times: list[list[float]] = [[], [], []]
    with connection.cursor() as cursor:
        for number in range(rounds):
            asked = f"{text} -none{number}"
            path = f"/api/v1/products/search?q={quote(asked)}"
            floor = statements(asked)

            def least(floor: Any = floor) -> None:
                for sql, params in floor:
                    cursor.execute(sql, params)
                    cursor.fetchall()

            times[0].append(timed(lambda path=path: client.get(path).expect(200)))
            times[1].append(timed(lambda path=path: client.get(f"{path}&facets=false").expect(200)))
            times[2].append(timed(least))
    return times


def main() -> None:
    """Fill a shop and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    server = servers.postgres()
    with tempfile.TemporaryDirectory() as folder:
        url = servers.create_database(server.url, "search")
        shop = Shop(Settings(home=Path(folder), database_url=url, log_level="error"), build_app)
        lifecycle.prepare(shop, Edition("bench", ("accounts", "products")))
        shop.refresh()
        with bound(shop.current):
            print(f"{told.products} products in {timed(lambda: fill(told.products)) / 1000:.1f} s")
            connection = psycopg2.connect(url)
            connection.autocommit = True
            connection.cursor().execute("VACUUM ANALYZE")
            client = Client(Gate(shop), shop)
            for name, text in TEXTS.items():
                times = measure(client, connection, text, told.rounds)
                whole, bare, least = map(statistics.median, times)
                print(f"{name:22} {text:14} whole {whole:7.1f} ms  without facets {bare:7.1f} ms  "
                      f"floor {least:7.1f} ms  {bare / least:4.1f} x floor")  # fmt: skip
            connection.close()
        shop.databases.close()
    server.stop()


if __name__ == "__main__":
    main()
