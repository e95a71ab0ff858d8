"""What reviews do about events of others."""

from uuid import UUID

from bodega_products import api as products
from bodega_reviews.models import Review
from bodega_sdk import Occurrence

#: Events of products that go and come back.
PRODUCTS = ("product.deleted", "product.restored")


def forget_authors(event: Occurrence) -> None:
    """Erase the names of those whose account is gone; what they said stays."""
    nameless = Review.account.is_null() & (Review.author != "")
    Review.update(author="").where(nameless).execute()


def follow_products(events: list[Occurrence]) -> None:
    """Withdraw the reviews of products that are gone, and show them again on their return."""
    keys = [UUID(event.data["id"]) for event in events]
    # What is true now counts, for each kind of event is heard for itself.
    there = products.products_of(keys)
    _withdraw([key for key in keys if key not in there], True)
    _withdraw(list(there), False)


def _withdraw(keys: list[UUID], withdrawn: bool) -> None:
    if keys:
        changed = Review.product.in_(keys) & (Review.withdrawn != withdrawn)
        Review.update(withdrawn=withdrawn).where(changed).execute()
