"""Fixtures: a shop with pulses and two products, and short words for what tests do."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bodega.http.app import build_app
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_products.api import ProductRow, items_of_skus, upsert
from bodega_sdk import now, transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import Jobs

ADDONS = ("accounts", "products", "notifications", "pulses")


@pytest.fixture
def settings(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Settings]:
    """Settings of a copy of a started shop with pulses."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, ADDONS, tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test; its subscriptions have heard all there was to hear."""
    found = Shop(settings, build_app, connections=12)
    found.refresh()
    with bound(found.current):
        Jobs(found).begin_to_listen()
        yield found
    found.databases.close()


@pytest.fixture
def new_shop(shop: Shop) -> Shop:
    """The same, for fixtures elsewhere."""
    return shop


@pytest.fixture
def jobs(shop: Shop) -> Jobs:
    """What a worker would do."""
    return Jobs(shop)


@pytest.fixture
def set_to(shop: Shop) -> Iterator[Callable[[str, Any], None]]:
    """Give settings of pulses a value: ``set_to("kept_days", 7)``."""
    bindings: list[Any] = []

    def set_it(name: str, value: Any) -> None:
        change(shop, f"pulses.{name}", value)
        shop.refresh()
        bindings.append(bound(shop.current))
        bindings[-1].__enter__()

    yield set_it
    for binding in reversed(bindings):
        binding.__exit__(None, None, None)


@pytest.fixture
def lamp(shop: Shop) -> UUID:
    """A product's id; its SKU is LAMP."""
    return _product("LAMP")


@pytest.fixture
def sofa(shop: Shop) -> UUID:
    """Another product's; its SKU is SOFA."""
    return _product("SOFA")


def _product(sku: str) -> UUID:
    with transaction():
        upsert([ProductRow(sku, {"name": sku.title(), "price_minor": 999})], "test")
    return items_of_skus([sku])[sku][0]


@pytest.fixture
def staff(client: Client) -> Client:
    """Somebody who may read and record."""
    return client.as_user("staff")


@pytest.fixture
def today() -> datetime:
    """The last midnight but one, UTC: all of that day has been."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
