"""Fixtures: a shop with coupons, people who buy, and things to buy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from tests import copied_shop
from tests.addons.people import account_of

from bodega.shop import Shop
from bodega_coupons.models import Coupon
from bodega_inventory import api as inventory
from bodega_orders.api import Destination, Draft, Quote, draft_of, quote
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk.testing.client import Client

COUPONS = "/api/v1/coupons"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "inventory", "orders", "coupons")


@dataclass
class Person:
    """Somebody who buys: with an account, or as a guest."""

    client: Client
    account: Any = None
    email: str = ""

    def order(self, *codes: str, items: Any, expect: int = 201, **members: Any) -> Any:
        """Check out: ``order("SPRING", items={product: 2})``."""
        things = [{"product": str(key), "quantity": number} for key, number in items.items()]
        body = {"items": things, "codes": [*codes], "shipping_address": ADDRESS}
        if self.account is None:
            body["email"] = self.email
        return self.client.post("/api/v1/orders", body | members).expect(expect)


@pytest.fixture
def person(client: Client) -> Callable[..., Person]:
    """Make somebody with an account: ``person("vera")``."""

    def make(name: str, role: str = "user") -> Person:
        account = account_of(name, role)
        return Person(client.as_user(role, subject=str(account.id)), account, account.email)

    return make


@pytest.fixture
def vera(person: Any) -> Person:
    """A user."""
    found: Person = person("vera")
    return found


@pytest.fixture
def guest(client: Client) -> Callable[[str], Person]:
    """Somebody without an account: ``guest("ada@x.example")``."""
    return lambda email: Person(client, None, email)


@pytest.fixture
def coupon(staff: Person) -> Callable[..., Any]:
    """Make a coupon by the API: ``coupon("SPRING", percent="10")``."""

    def make(code: str = "SPRING", expect: int = 201, **members: Any) -> Any:
        kind = (
            "fixed_amount" if "amount" in members
            else "percentage" if "percent" in members else "free_shipping"
        )  # fmt: skip
        has_amounts = {"amount", "minimum_subtotal", "maximum_discount"} & members.keys()
        body = {"code": code, "kind": kind} | ({"currency": "USD"} if has_amounts else {})
        return staff.client.post(COUPONS, body | members).expect(expect)

    return make


@dataclass
class Goods:
    """Things to buy."""

    _number: int = 0

    def make(self, price: int = 1000, currency: str = "USD", stock: int = 100, **more: Any) -> UUID:
        """Make a product; return its id.

        Args:
            price: minor units.
            more: further columns of the product.
        """
        self._number += 1
        sku = f"P-{self._number}"
        made = {"name": f"Product {self._number}", "price_minor": price}
        upsert([ProductRow(sku, made)], "test", None)
        product = UUID(str(Product.get(Product.sku == sku).id))
        # Files have the decimals of the shop's currency only.
        Product.update({"currency": currency} | more).where(Product.id == product).execute()
        inventory.receive([inventory.Item(product, None, stock)], reason="test")
        return product


@pytest.fixture
def goods(shop: Shop) -> Goods:
    """Things to buy."""
    return Goods()


def drafted(
    items: dict[UUID, int], *codes: str, email: str = "", account: Any = None, currency: str = "USD"
) -> Draft:
    """Return a draft of so many of each product."""
    things = [(key, None, number) for key, number in items.items()]
    return draft_of(things, currency, account, email, Destination("GB"), codes, "")


def quoted(items: dict[UUID, int], *codes: str, **more: Any) -> Quote:
    """Return what so many of each product cost with some codes."""
    return quote(drafted(items, *codes, **more))


@pytest.fixture
def ask() -> Callable[..., Quote]:
    """Quote: ``ask({product: 2}, "SPRING", email="ada@x.example")``."""
    return quoted


@pytest.fixture
def row() -> Callable[[str], Coupon]:
    """Return a coupon's row by its code."""
    return lambda code: Coupon.get(Coupon.key == code.upper())
