"""Fixtures: who calls, and cards to call about."""

from collections.abc import Callable
from typing import Any

import pytest

CARDS = "/api/v1/gift-cards"
PRODUCTS = "/api/v1/products"


@pytest.fixture
def admin(bodega_client: Any) -> Any:
    """A client that may do everything."""
    return bodega_client.as_admin()


@pytest.fixture
def issue(admin: Any) -> Callable[..., dict[str, Any]]:
    """Issue a card, of 50 EUR unless the test says otherwise."""

    def issue(**data: Any) -> dict[str, Any]:
        card: dict[str, Any]
        card = admin.post(CARDS, {"amount": "50.00", "currency": "EUR"} | data).expect(201)
        return card

    return issue


@pytest.fixture
def sell(admin: Any) -> Callable[..., dict[str, Any]]:
    """Make a product that is a gift card, unless the test says otherwise."""

    def sell(sku: str, **members: Any) -> dict[str, Any]:
        data = {"name": sku, "sku": sku, "price": "25.00", "gift_cards": members}
        product: dict[str, Any] = admin.post(PRODUCTS, data).expect(201)
        return product

    return sell
