"""Quoting prices: what so many of a product cost, with whatever other addons make of it."""

from dataclasses import dataclass

from bodega_products.hookspecs import quote_price
from bodega_products.models import Product
from bodega_products.pricing import facts
from bodega_sdk import Money


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of so many of a product.

    Args:
        unit_price: of one of them.
    """

    sku: str
    quantity: int
    unit_price: Money

    @property
    def total(self) -> Money:
        """The price of all of them."""
        return self.unit_price * self.quantity


def quote(product: Product, quantity: int) -> Quote:
    """Return what so many of a product cost.

    Raises:
        HookFailed: an addon that has a say in it failed.
    """
    unit_price = quote_price(facts(product), quantity) or product.price
    return Quote(product.sku, quantity, unit_price)
