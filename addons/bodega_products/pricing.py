"""What a product costs, when so many of them are bought."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from bodega_products.models import Product
from bodega_sdk import Money


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """What is known of a product whose price is asked.

    Args:
        id, sku: which one.
        price: what the catalogue says that one piece costs.
        compare_at: what it cost before, or costs elsewhere, if that is known.
        currency: ISO 4217; of all these amounts, and of the answer.
        category: id of its category, if it has one.
    """

    id: UUID
    sku: str
    price: Money
    compare_at: Money | None
    currency: str
    category: UUID | None


def facts_of(products: Iterable[UUID]) -> dict[UUID, PriceFacts]:
    """Return what is known of the prices of products, by id; those that are not there lack."""
    alive = Product.select().where(Product.deleted_at.is_null())
    query = alive.where(Product.id.in_(list(products)))
    return {product.id: facts(product) for product in query}


def facts(product: Product) -> PriceFacts:
    """Return what the hook ``quote_price`` is told of a product."""
    return PriceFacts(
        product.id,
        product.sku,
        product.price,
        product.compare_at_price,
        product.currency,
        product.category_id,
    )
