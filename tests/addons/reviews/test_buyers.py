"""Where orders are enabled, they say who has bought what is reviewed."""

from typing import Any

import pytest

from bodega_products.models import Product

ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of a shop with reviews and orders."""
    return ("accounts", "products", "inventory", "notifications", "reviews", "orders")


def test_a_review_of_what_its_author_ordered_is_verified(
    vera: Any, otto: Any, staff: Any, lamp: str
) -> None:
    Product.update(is_digital=True, price_minor=0).where(Product.id == lamp).execute()
    stock = {"kind": "receipt", "items": [{"product": lamp, "quantity": 1}]}
    staff.client.post("/api/v1/inventory/movements", stock).expect(201)
    # It costs nothing, so it is confirmed at once.
    vera.client.post("/api/v1/orders", {"items": [{"product": lamp}]}).expect(201)
    assert vera.review(lamp)["verified"] is True
    assert otto.review(lamp)["verified"] is False
