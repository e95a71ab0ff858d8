"""What other addons may call."""

from collections.abc import Iterable
from uuid import UUID

import peewee

from bodega_wishlists.models import Item

__all__ = ["wanted"]


def wanted(products: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many people wish for products, by their ids; nobody when it is left out."""
    people = peewee.fn.COUNT(Item.account.distinct())
    query = Item.select(Item.product, people).where(Item.product.in_(list(products)))
    return dict(query.group_by(Item.product).tuples())
