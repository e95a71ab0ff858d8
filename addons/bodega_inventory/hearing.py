"""What the catalogue says: products and variants that go, come back, or change hands."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from bodega_inventory.book import Book
from bodega_inventory.models import Level
from bodega_sdk import Occurrence

HEARD = (
    "product.updated", "product.deleted", "product.restored",
    "variant.created", "variant.deleted",
)  # fmt: skip


def follow(events: list[Occurrence]) -> None:
    """Take over whose products are and which are gone; only those that are stocked matter."""
    wanted = sorted(set(_products(events)))
    stocked = {
        key for (key,) in Level.select(Level.product).where(Level.product.in_(wanted)).tuples()
    }
    if stocked:
        Book([], stocked, strict=False).close("catalogue")


def _products(events: Iterable[Occurrence]) -> Iterable[UUID]:
    for event in events:
        data: dict[str, Any] = event.data
        yield UUID(data["product" if event.name.startswith("variant.") else "id"])
