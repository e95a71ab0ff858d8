"""What reviews do about events of others."""

from typing import Any
from uuid import UUID

from bodega_products import api as products
from bodega_reviews.models import Review
from bodega_sdk import Occurrence

#: Events of products that go and come back, the first of several at once.
PRODUCTS = ("product.deleted", "products.deleted", "product.restored")


def forget_authors(event: Occurrence) -> None:
    """Erase the names of those whose account is gone; what they said stays."""
    nameless = Review.account.is_null() & (Review.author != "")
    Review.update(author="").where(nameless).execute()


def follow_products(event: Occurrence) -> None:
    """Withdraw the reviews of products that are gone, and show them again on their return."""
    named: list[Any] = event.data.get("ids") or [event.data["id"]]
    # What is true now counts, for these events are heard one kind at a time.
    keys = [UUID(str(key)) for key in named]
    there = products.products_of(keys)
    _withdraw([key for key in keys if key not in there], True)
    _withdraw(list(there), False)


def _withdraw(keys: list[UUID], withdrawn: bool) -> None:
    if keys:
        changed = Review.product.in_(keys) & (Review.withdrawn != withdrawn)
        Review.update(withdrawn=withdrawn).where(changed).execute()
