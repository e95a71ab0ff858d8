"""Fixtures: a shop with a row in each collection, to be attacked."""

from typing import Any

import pytest
from tests import copied_shop
from tests.kernel.bad_input.attacks import Target
from tests.kernel.bad_input.catalogue import fill

from bodega.shop import Shop

settings = copied_shop.settings


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of a shop with everything around the catalogue."""
    return (
        "accounts", "products", "imports", "inventory", "media", "reviews", "wishlists", "orders",
        "coupons", "payments", "analytics", "pulses",
    )  # fmt: skip


@pytest.fixture
def target(shop: Shop, admin: Any) -> Target:
    """A shop with a row in each collection, and the administrator's token."""
    ids = fill(admin)
    return Target(shop, admin.gate, admin.token, ids, ids["me"])
