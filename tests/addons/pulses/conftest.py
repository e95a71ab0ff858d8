"""Fixtures: a shop with pulses and two products, and short words for what tests do."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from tests import copied_shop

from bodega.shop import Shop
from bodega_products.api import ProductRow, items_of_skus, upsert
from bodega_sdk import now, transaction
from bodega_sdk.testing.client import Client

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "notifications", "pulses")


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
