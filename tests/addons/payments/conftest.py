"""Fixtures: a shop with payments, people who pay, and many hands at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bodega.database.tables import EventRow
from bodega.http.app import build_app
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts.models import Account
from bodega_inventory import api as inventory
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.clock import Clock, moved_by_tests
from bodega_sdk.testing.working import Jobs

PAYMENTS, ORDERS = "/api/v1/payments", "/api/v1/orders"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}
ADDONS = ("accounts", "products", "imports", "notifications", "inventory", "orders", "payments")


@pytest.fixture
def settings(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Settings]:
    """Settings of a copy of a started shop with payments."""
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
    # Webhooks of the sandbox are due at once: tests decide when they run.
    with bound(found.current):
        change(found, "payments.sandbox_delay", 0)
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


@pytest.fixture
def set_to(shop: Shop) -> Iterator[Callable[[str, Any], None]]:
    """Give settings of payments a value: ``set_to("sandbox_delay", 0)``."""
    with ExitStack() as stack:

        def set_it(name: str, value: Any) -> None:
            change(shop, f"payments.{name}", value)
            shop.refresh()
            stack.enter_context(bound(shop.current))

        yield set_it


@dataclass
class Person:
    """Somebody with an account."""

    account: Account
    client: Client

    @property
    def id(self) -> str:
        """The account's id."""
        return str(self.account.id)


@pytest.fixture
def person(client: Client) -> Callable[..., Person]:
    """Make somebody: ``person("vera", first_name="Vera")``."""

    def make(name: str, role: str = "user", **members: Any) -> Person:
        account = Account.create(
            email=f"{name}@shop.example", role=role, password="-",
            **{"preferences": {}} | members,
        )  # fmt: skip
        return Person(account, client.as_user(role, subject=str(account.id)))

    return make


@pytest.fixture
def vera(person: Any) -> Person:
    """A user."""
    found: Person = person("vera", first_name="Vera", last_name="Berg")
    return found


@pytest.fixture
def otto(person: Any) -> Person:
    """Another user."""
    found: Person = person("otto", first_name="Otto")
    return found


@pytest.fixture
def staff(person: Any) -> Person:
    """Somebody of the staff."""
    found: Person = person("mona", role="staff")
    return found


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


@pytest.fixture
def at_once(shop: Shop) -> Callable[..., list[Any]]:
    """Run functions in threads of the shop at once; return their results, or what they raised."""

    def run_all(*functions: Callable[[], Any], wait: float = 90) -> list[Any]:
        outcomes: list[Any] = [None] * len(functions)
        gate = threading.Barrier(len(functions))

        def work(place: int) -> None:
            try:
                with bound(shop.current):
                    gate.wait(20)
                    outcomes[place] = functions[place]()
            except Exception as error:
                outcomes[place] = error
            finally:
                shop.databases.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(wait)
            assert not thread.is_alive(), "a thread does not end"
        return outcomes

    return run_all


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
