"""Fixtures: a shop with stock, things to stock, and what happens to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from tests import copied_shop

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.operator_settings import change
from bodega.shop import Shop
from bodega_accounts import sessions
from bodega_accounts.models import Account, Organization
from bodega_inventory.api import Item
from bodega_inventory.models import Level, Movement
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product, Variant
from bodega_sdk import transaction, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import Jobs

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "imports", "notifications", "inventory")


@dataclass
class Store:
    """What a test does with stock."""

    shop: Shop
    stack: ExitStack
    _number: int = 0
    _seen: int = field(default=0)

    def set(self, name: str, value: Any) -> None:
        """Give a setting a value."""
        change(self.shop, f"inventory.{name}", value)
        self.follow()

    def follow(self) -> None:
        """Serve what is written down now."""
        self.shop.refresh()
        self.stack.enter_context(bound(self.shop.current))

    def switch(self, addon: str, *, on: bool) -> None:
        """Enable or disable an addon."""
        (lifecycle.enable if on else lifecycle.disable)(self.shop, addon)
        self.follow()

    def work(self) -> None:
        """Do what a worker does until nothing is left to do."""
        Jobs(self.shop).run_all()

    def product(self, sku: str = "", *forms: str, organization: UUID | None = None) -> UUID:
        """Make a product that comes in some forms, and return its id."""
        self._number += 1
        sku = sku or f"P-{self._number}"
        variants = [
            {"sku": f"{sku}-{form}", "options": {"Form": form}, "price_minor": 999}
            for form in forms
        ]
        fields = {"name": f"Product {sku}", "price_minor": 999, "currency": "USD"}
        upsert([ProductRow(sku, fields, variants or None)], "test", organization)
        found = Product.get(Product.sku == sku)
        if organization is not None:
            Product.update(organization=organization).where(Product.id == found.id).execute()
        return UUID(str(found.id))

    def item(self, quantity: int = 1, sku: str = "") -> Item:
        """Make a product that comes in one form, and ask for so many of it."""
        return Item(self.product(sku), None, quantity)

    def forms(self, *forms: str, quantity: int = 1) -> list[Item]:
        """Make a product, and ask for so many of each of its forms."""
        product = self.product("", *forms)
        query = Variant.select(Variant.id).where(Variant.product == product)
        ids = [key for (key,) in query.order_by(Variant.position).tuples()]
        return [Item(product, key, quantity) for key in ids]

    def level(self, item: Item) -> Level:
        """Return the level of an item."""
        found: Level = Level.get_by_id(item.id)
        return found

    def ledger(self, item: Item) -> list[tuple[str, int]]:
        """Return what moved an item, oldest first."""
        query = Movement.select().where(Movement.item == item.id).order_by(Movement.id)
        return [(row.kind, row.quantity) for row in query]

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Return the data of the events of some names, oldest first."""
        database = self.shop.databases.shop
        outbox.relay(database)
        wanted = [f"inventory.{name}" for name in names] or ["inventory.*"]
        return [{"name": one.name} | one.data for one in outbox.read(database, 0, 5000, wanted)]


@pytest.fixture
def store(shop: Shop) -> Iterator[Store]:
    """The shop, and what is done in it."""
    with ExitStack() as stack:
        yield Store(shop, stack)


@pytest.fixture
def run(run: Callable[..., str]) -> Callable[..., str]:
    """Run ``bodega inventory …``; return what it printed."""
    return partial(run, "inventory")


@pytest.fixture
def vendor_of(client: Client) -> Callable[[Organization], Client]:
    """Return a client of a vendor of an organization."""

    def make(organization: Organization) -> Client:
        account = Account.create(
            email=f"{uuid7().hex}@shop.example", role="vendor", password="-", preferences={},
            organization=organization,
        )  # fmt: skip
        with transaction():
            pair = sessions.begin(account, "127.0.0.1", "test")
        return Client(client.gate, client.shop, pair["access"])

    return make


@pytest.fixture
def make_staff(shop: Shop) -> Callable[[str], Account]:
    """Make somebody of the staff who prefers a language."""

    def make(language: str) -> Account:
        made: Account = Account.create(
            email=f"{uuid7().hex}@shop.example", role="staff", password="-",
            preferences={"language": language},
        )  # fmt: skip
        return made

    return make


@pytest.fixture
def key_for(client: Client) -> Callable[..., Client]:
    """Return a client that sends an API key which was made for just these permissions."""

    def make(*scopes: str) -> Client:
        account = Account.create(
            email=f"{uuid7().hex}@shop.example", role="admin", password="-", preferences={}
        )
        with transaction():
            pair = sessions.begin(account, "127.0.0.1", "test")
        owner = Client(client.gate, client.shop, pair["access"])
        made = owner.post("/api/v1/api-keys", {"name": "sync", "scopes": list(scopes)})
        return Client(client.gate, client.shop, made.expect(201)["key"])

    return make
