"""Two hundred checkouts for ten pieces, from processes: ten orders, and nothing else is left."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_inventory import api as inventory
from bodega_inventory.models import Level, Movement, Reservation
from bodega_orders.models import History, Line, Order
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product, Variant
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers

pytestmark = pytest.mark.slow

ADDONS = ("accounts", "products", "inventory", "orders")
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}
PROCESSES, SCRIPT = 8, Path(__file__).with_name("buying_at_once.py")


@pytest.fixture
def settings(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Settings]:
    """Settings of a copy of a started shop with orders."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, ADDONS, tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test."""
    found = Shop(settings, build_app, connections=4)
    found.refresh()
    with bound(found.current):
        yield found
    found.databases.close()


def make(sku: str, *forms: str) -> tuple[UUID, list[UUID]]:
    """Make a product, ten pieces of it or of each form; return its id and those of its forms."""
    variants = [
        {"sku": f"{sku}-{form}", "options": {"Size": form}, "price_minor": 1000} for form in forms
    ]
    row = {"name": sku, "price_minor": 1000, "currency": "USD"}
    upsert([ProductRow(sku, row, variants or None)], "test", None)
    product = Product.get(Product.sku == sku).id
    made = list(Variant.select().where(Variant.product == product).order_by(Variant.position))
    keys = [one.id for one in made]
    inventory.receive([inventory.Item(product, key, 10) for key in keys or [None]], reason="test")
    return product, keys


def body(place: int, *things: tuple[UUID, UUID | None, int]) -> dict[str, Any]:
    """What a guest sends to order things."""
    items = [
        {"product": str(product), "variant": str(form) if form else None, "quantity": count}
        for product, form, count in things
    ]
    return {"items": items, "email": f"guest{place}@shop.example", "shipping_address": ADDRESS}


def buy(settings: Settings, bodies: list[Any]) -> Counter[str]:
    """Order by processes that begin together; return how often what came of it."""
    parts = [bodies[place::PROCESSES] for place in range(PROCESSES)]
    running = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(settings.home), _url(settings), json.dumps(part)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for part in parts
    ]  # fmt: skip
    try:
        for one in running:
            assert _line_of(one, "ready") == "ready"
        for one in running:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        return Counter(outcome for one in running for outcome in json.loads(_line_of(one, "[")))
    finally:
        for one in running:
            one.kill()
            one.communicate()


def _url(settings: Settings) -> str:
    return settings.database_url if settings.database_url.startswith("postgres") else ""


def _line_of(process: Any, begins: str) -> str:
    """Return the next line that begins so; the log is between them."""
    for line in process.stdout:
        if line.startswith(begins):
            return str(line.strip())
    raise AssertionError(f"the process ended without {begins!r}")


def check(orders: int) -> None:
    """Check that there are so many orders, and nothing without one."""
    keys = {row.id for row in Order.select()}
    assert len(keys) == orders
    assert {row.order_id for row in Line.select()} == keys
    assert {row.order_id for row in History.select()} == keys
    assert {row.reference for row in Reservation.select()} == {f"order:{key}" for key in keys}
    for level in Level.select():
        assert level.available >= 0
        moved = [row.quantity for row in Movement.select().where(Movement.item == level.id)]
        assert sum(moved) == level.available


def test_two_hundred_who_want_ten_pieces_get_ten_orders(settings: Settings, shop: Shop) -> None:
    lamp, _ = make("LAMP")
    done = buy(settings, [body(place, (lamp, None, 1)) for place in range(200)])
    assert done == {"201": 10, "409 out-of-stock": 190}
    level = Level.get_by_id(lamp)
    assert (level.on_hand, level.reserved, level.available) == (10, 10, 0)
    check(10)


def test_two_lines_of_one_thing_a_variant_and_crossing_orders_are_never_too_many(
    settings: Settings, shop: Shop
) -> None:
    lamp, _ = make("LAMP")
    shirt, (small, large) = make("SHIRT", "S", "L")
    wishes: list[Any] = []
    for place in range(120):
        twice = body(place, (lamp, None, 1), (lamp, None, 1))
        # One takes the shirt first, the other the lamp: neither waits for ever.
        there = body(place, (shirt, large, 1), (lamp, None, 1))
        back = body(place, (lamp, None, 1), (shirt, large, 1), (shirt, small, 2))
        wishes.append((twice, there, back)[place % 3])
    done = buy(settings, wishes)
    assert set(done) == {"201", "409 out-of-stock"}
    taken = {row.id: row.reserved for row in Level.select()}
    sold = dict.fromkeys(taken, 0)
    for line in Line.select():
        sold[line.item] += line.quantity
    assert taken == sold
    assert taken[lamp] == 10 or taken[large] == 10
    check(done["201"])
