"""Fixtures: a shop with coupons, people, products and coupons."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts.models import Account
from bodega_coupons.models import Coupon
from bodega_inventory import api as inventory
from bodega_orders.api import Destination, Draft, Quote, draft_of, quote
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.clock import Clock, moved_by_tests
from bodega_sdk.testing.working import Jobs

ADDONS = ("accounts", "products", "inventory", "orders", "coupons")
COUPONS = "/api/v1/coupons"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


@pytest.fixture
def settings(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Settings]:
    """Settings of a copy of a started shop with coupons."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, ADDONS, tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test; its subscriptions have heard all there was to hear."""
    found = Shop(settings, build_app, connections=16)
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
def clock() -> Iterator[Clock]:
    """The time, which can be moved."""
    with moved_by_tests() as made:
        yield made


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
        email = f"{name}@shop.example"
        account = Account.create(email=email, role=role, password="-", preferences={})
        return Person(client.as_user(role, subject=str(account.id)), account, email)

    return make


@pytest.fixture
def vera(person: Any) -> Person:
    """A user."""
    found: Person = person("vera")
    return found


@pytest.fixture
def staff(person: Any) -> Person:
    """Somebody of the staff."""
    found: Person = person("mona", role="staff")
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


@pytest.fixture
def run(shop: Shop) -> Callable[..., str]:
    """Run ``bodega …``; return what it printed."""

    def invoke(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(bodega, [*arguments], obj=Context(_shop=shop))
        assert done.exit_code == code, done.output
        return str(done.output)

    return invoke


@pytest.fixture
def at_once(shop: Shop) -> Callable[..., list[Any]]:
    """Run functions in threads that begin together; return their results in order."""

    def run_all(*functions: Callable[[], Any]) -> list[Any]:
        results: list[Any] = [None] * len(functions)
        gate = threading.Barrier(len(functions))

        def work(number: int, function: Callable[[], Any]) -> None:
            try:
                gate.wait(20)
                results[number] = function()
            except BaseException as error:
                results[number] = error
            finally:
                shop.databases.close()

        hands = [threading.Thread(target=work, args=item) for item in enumerate(functions)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(60)
        return results

    return run_all
