"""Setting what is available to a number: the ledger gets the difference."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from bodega_inventory.book import Book, Cause
from bodega_inventory.items import Item
from bodega_products import api as products
from bodega_sdk import actor, transaction
from bodega_sdk.errors import invalid

_REASON = "stock was set"


def set_products(wanted: Mapping[UUID, int]) -> None:
    """Set the stock of products that come in one form.

    Those whose variants are stocked are left alone: theirs is the sum of the variants'.
    """
    with transaction():
        book = Book([], wanted)
        summed = book.stocked_by_variant()
        items = [Item(key, None, number) for key, number in wanted.items() if key not in summed]
        items = book.are_there(items)
        book.begin(items)
        _settle(book, items)


def set_variants(wanted: Mapping[UUID, int]) -> None:
    """Set the stock of variants; those that are gone are left out."""
    with transaction():
        found = products.variants_of(wanted)
        items = [Item(one.product, key, wanted[key]) for key, one in found.items()]
        _settle(Book(items), items)


def _settle(book: Book, items: Sequence[Item]) -> None:
    for item in items:
        difference = item.quantity - book.level(item.id).available
        if difference:
            book.move(item, "adjustment", difference, Cause(_REASON, actor=actor()))
    book.close(_REASON)


def refuse_sum(product: UUID) -> None:
    """Refuse to set the stock of a product whose variants are stocked.

    Raises:
        InvalidInput: they are.
    """
    with transaction():
        summed = Book([], [product]).stocked_by_variant()
    if summed:
        raise invalid("stock", "It is the sum of its variants': set the stock of those.")
