"""What worn products cost."""

from bodega_lending.models import ProductWear

from bodega_products.api import PriceFacts
from bodega_sdk import Money


def worn_price(product: PriceFacts) -> Money | None:
    """Return a lower price for a product that is worn; None for one that is new."""
    worn = min(ProductWear.read(product.id).worn, 100)
    if worn <= 0:
        return None
    return Money(product.price.minor * (100 - worn) // 100, product.currency)
