"""Fixtures: a shop with wishlists, people, products, and eight hands at once."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bodega.http.app import build_app
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts.models import Account
from bodega_sdk import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import Jobs

ADDONS = ("accounts", "products", "wishlists")
LISTS = "/api/v1/wishlists"


@pytest.fixture
def settings(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Settings]:
    """Settings of a copy of a started shop with wishlists."""
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
    """Give settings of wishlists a value: ``set_to("lists_per_account", 3)``."""
    bindings: list[Any] = []

    def set_it(name: str, value: Any) -> None:
        change(shop, f"wishlists.{name}", value)
        shop.refresh()
        bindings.append(bound(shop.current))
        bindings[-1].__enter__()

    yield set_it
    for binding in reversed(bindings):
        binding.__exit__(None, None, None)


@dataclass
class Person:
    """Somebody with an account."""

    account: Account
    client: Client

    @property
    def id(self) -> str:
        """The account's id."""
        return str(self.account.id)

    def wish(self, **members: Any) -> Any:
        """Put something on a list."""
        return self.client.post(f"{LISTS}/items", members).expect(201)

    @property
    def lists(self) -> list[dict[str, Any]]:
        """Their lists, the oldest first."""
        found: list[dict[str, Any]] = self.client.get(f"{LISTS}?ordering=created_at").expect(200)[
            "results"
        ]
        return found


@pytest.fixture
def person(client: Client) -> Callable[..., Person]:
    """Make somebody: ``person("vera", first_name="Vera")``."""

    def make(name: str, role: str = "user", **members: Any) -> Person:
        account = Account.create(
            email=f"{name}@shop.example", role=role, password="-", preferences={}, **members
        )
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


@pytest.fixture
def make_product(admin: Client) -> Callable[..., str]:
    """Make a product; return its id."""

    def make(name: str = "Lamp", **members: Any) -> str:
        body = {"name": name, "sku": uuid7().hex, "price": "9.99"} | members
        return str(admin.post("/api/v1/products", body).expect(201)["id"])

    return make


@pytest.fixture
def lamp(make_product: Any) -> str:
    """A product's id."""
    return str(make_product())


@pytest.fixture
def make_variant(admin: Client) -> Callable[..., str]:
    """Make a variant of a product; return its id."""

    def make(product: str, **options: str) -> str:
        body = {"product": product, "options": options}
        return str(admin.post("/api/v1/variants", body).expect(201)["id"])

    return make


@pytest.fixture
def at_once(shop: Shop) -> Callable[..., list[Any]]:
    """Run functions in threads that begin together; return their results in order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
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
        for found in results:
            if isinstance(found, BaseException):
                raise found
        return results

    return run
