"""Fixtures: a shop with payments, things to buy, and paying for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from tests import copied_shop
from tests.addons.people import Person

from bodega.database.tables import EventRow
from bodega.http.app import build_app
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_inventory import api as inventory
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk.runtime import bound
from bodega_sdk.testing.working import Jobs

PAYMENTS, ORDERS = "/api/v1/payments", "/api/v1/orders"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}

settings, new_shop = copied_shop.settings, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "imports", "notifications", "inventory", "orders", "payments")


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test; its subscriptions have heard all there was to hear."""
    found = Shop(settings, build_app, connections=16)
    found.refresh()
    # Webhooks of the sandbox are due at once: tests decide when they run.
    with bound(found.current):
        change(found, "payments.sandbox_delay", 0)
    found.refresh()
    with bound(found.current):
        Jobs(found).begin_to_listen()
        yield found
    found.databases.close()


@dataclass
class Goods:
    """Things to buy."""

    _number: int = 0

    def make(self, price: int = 1000, currency: str = "USD", stock: int = 10) -> UUID:
        """Make a product of a price in minor units, so many in stock; return its id."""
        self._number += 1
        sku = f"P-{self._number}"
        made = {"name": f"Product {self._number}", "price_minor": price, "currency": "USD"}
        upsert([ProductRow(sku, made, None)], "test", None)
        product = UUID(str(Product.get(Product.sku == sku).id))
        # Imports read amounts with the shop's decimals; these are minor units already.
        Product.update(currency=currency).where(Product.id == product).execute()
        inventory.receive([inventory.Item(product, None, stock)], reason="test")
        return product


@pytest.fixture
def goods(shop: Shop) -> Goods:
    """Things to buy."""
    return Goods()


@dataclass
class Till:
    """Orders that are to be paid, and paying for them."""

    goods: Goods

    def order(self, who: Person, price: int = 1000, currency: str = "USD", **members: Any) -> Any:
        """Place an order of one thing of a price in minor units; return it as it is shown."""
        product = self.goods.make(price, currency)
        body = {
            "items": [{"product": str(product), "quantity": 1}], "shipping_address": ADDRESS,
            "currency": currency,
        } | members  # fmt: skip
        return who.client.post(ORDERS, body).expect(201)

    def pay(
        self, who: Person, order: Any, method: str = "pm_card_visa", expect: int = 201,
        headers: Any = None, **members: Any,
    ) -> Any:  # fmt: skip
        """Pay for an order with a method of the sandbox; return the answer."""
        body = {"order": order["id"], "payment_method": method} | members
        return who.client.post(PAYMENTS, body, headers=headers or {}).expect(expect)


@pytest.fixture
def till(goods: Goods) -> Till:
    """Orders that are to be paid."""
    return Till(goods)


@pytest.fixture
def told(shop: Shop) -> Callable[[Any], list[str]]:
    """Return the names of the events of an order, the oldest first."""

    def read(order: Any) -> list[str]:
        rows = EventRow.select().where(EventRow.key == order["id"]).order_by(EventRow.id)
        return [row.name for row in rows]

    return read
