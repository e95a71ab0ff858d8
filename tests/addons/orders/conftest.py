"""Fixtures: a shop with orders, and things to buy."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from tests import copied_shop

from bodega.shop import Shop
from bodega_inventory import api as inventory
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product, Variant

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "imports", "notifications", "inventory", "orders")


@dataclass
class Goods:
    """Things to buy."""

    _number: int = 0

    def make(
        self, *forms: str, price: int = 1000, currency: str = "USD", stock: int = 10, **fields: Any
    ) -> UUID:
        """Make a product in some forms, so many of each (or of it) in stock; return its id.

        Args:
            price: minor units.
            stock: none are received when it is 0.
            fields: further columns of the product.
        """
        self._number += 1
        sku = f"P-{self._number}"
        variants = [
            {"sku": f"{sku}-{form}", "options": {"Form": form}, "price_minor": price}
            for form in forms
        ]
        made = {"name": f"Product {self._number}", "price_minor": price, "currency": currency}
        upsert([ProductRow(sku, made, variants or None)], "test", None)
        product = UUID(str(Product.get(Product.sku == sku).id))
        if fields:
            Product.update(fields).where(Product.id == product).execute()
        if stock:
            forms_of = self.forms(product) or [None]
            inventory.receive(
                [inventory.Item(product, form, stock) for form in forms_of], reason="test"
            )  # fmt: skip
        return product

    def forms(self, product: UUID) -> list[UUID]:
        """Return the ids of a product's variants, in their order."""
        query = Variant.select(Variant.id).where(Variant.product == product)
        return [UUID(str(key)) for (key,) in query.order_by(Variant.position).tuples()]


@pytest.fixture
def goods(shop: Shop) -> Goods:
    """Things to buy."""
    return Goods()
