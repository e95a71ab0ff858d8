"""Fixtures: a shop with wishlists, and people who wish."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests import copied_shop
from tests.addons.people import Person

from bodega_sdk.testing.client import Client

LISTS = "/api/v1/wishlists"

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "wishlists")


class Wisher(Person):
    """Somebody who has lists."""

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
def person_class() -> type[Person]:
    """What people can do here."""
    return Wisher


@pytest.fixture
def at_once(at_once: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Run functions in threads of the shop at once; return their results, or raise."""
    return partial(at_once, raising=True)


@pytest.fixture
def make_variant(admin: Client) -> Callable[..., str]:
    """Make a variant of a product; return its id."""

    def make(product: str, **options: str) -> str:
        body = {"product": product, "options": options}
        return str(admin.post("/api/v1/variants", body).expect(201)["id"])

    return make
