"""What holds for an item: threshold, backorder, whether it is counted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bodega_inventory import figures
from bodega_inventory.book import Book
from bodega_inventory.items import Item
from bodega_inventory.models import Level
from bodega_sdk import now, setting
from bodega_sdk.errors import Conflict, FieldError, InvalidInput

_BATCH = 500


def begin_level(item: Item, rules: Mapping[str, Any], organization: UUID | None) -> Level:
    """Begin the level of an item, in the open transaction.

    Args:
        rules: out of ``low_stock_threshold backorder backorder_limit tracked``.
        organization: for which; None for the whole shop.

    Raises:
        InvalidInput: there is no such product or variant.
        PermissionDenied: it is not the organization's.
        Conflict: it has one already.
    """
    try:
        book = Book([item])
    except InvalidInput as error:
        raise _bare(error) from None
    book.refuse_others(organization)
    if not book.is_new(item.id):
        field = "variant" if item.variant else "product"
        message = "This item has a level already: change that one."
        raise Conflict(message, [FieldError(field, message, str(item.id))])
    return _set(book, item.id, rules)


def change_level(level: Level, rules: Mapping[str, Any], organization: UUID | None) -> Level:
    """Change what holds for an item, in the open transaction.

    Args:
        organization: for which; None for the whole shop.

    Raises:
        PermissionDenied: it is the organization's no more.
        Conflict: more was sold than the new rules allow.
    """
    book = Book([], [level.product], strict=False)
    book.refuse_others(organization)
    return _set(book, level.id, rules)


def _bare(error: InvalidInput) -> InvalidInput:
    """Return the error about one item, as it stands in a body that is that item."""
    found = [
        FieldError(item.field.removeprefix("items.0."), item.message, item.found)
        for item in error.errors
    ]
    return InvalidInput(error.detail.replace("items.0.", ""), found)


def _set(book: Book, key: UUID, rules: Mapping[str, Any]) -> Level:
    level = book.level(key)
    for name, value in rules.items():
        setattr(level, name, value)
    lowest = figures.floor(level)
    if lowest is not None and level.available < lowest:
        field = "backorder_limit" if level.backorder else "backorder"
        message = f"{-level.available} pieces more were sold than are there; receive them first."
        raise Conflict(f"'{field}': {message}", [FieldError(field, message, rules.get(field))])
    level.updated_at = now()
    book.close("rules")
    return level


def review() -> int:
    """Judge levels again that the shop's threshold has been changed for; return how many.

    In the open transaction, some at a time.
    """
    shops = int(setting("inventory.low_stock_threshold"))
    low = Level.tracked & (Level.available <= shops)
    wrong = (low & ~Level.low_stock) | (~low & Level.low_stock)
    query = Level.select(Level.product).where(
        Level.low_stock_threshold.is_null(), ~Level.retired, wrong
    )
    found = {key for (key,) in query.order_by(Level.id).limit(_BATCH).tuples()}
    if found:
        Book([], found, strict=False).close("threshold")
    return len(found)
