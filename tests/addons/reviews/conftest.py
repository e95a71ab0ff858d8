"""Fixtures: a shop with reviews, and people who write them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests import copied_shop
from tests.addons.people import Person

REVIEWS = "/api/v1/reviews"

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "notifications", "reviews")


class Reviewer(Person):
    """Somebody who writes reviews."""

    def review(self, product: str, **members: Any) -> Any:
        """Write a review that is taken."""
        body = {"product": product, "rating": 4, "title": "Good", "text": "It works."} | members
        return self.client.post(REVIEWS, body).expect(201)


@pytest.fixture
def person_class() -> type[Person]:
    """What people can do here."""
    return Reviewer


@pytest.fixture
def at_once(at_once: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Run functions in threads of the shop at once; return their results, or raise."""
    return partial(at_once, raising=True)


@pytest.fixture
def approve(staff: Person) -> Callable[[Any], Any]:
    """Approve a review."""

    def do(review: Any) -> Any:
        return staff.client.post(f"{REVIEWS}/{review['id']}/approve").expect(200)

    return do
