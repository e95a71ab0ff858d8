"""Moving what is on the shelf: receipts, sales, returns and adjustments."""

from collections.abc import Callable, Sequence
from uuid import UUID

from bodega_inventory.book import Book, Cause
from bodega_inventory.items import LARGEST, Item, Moved
from bodega_inventory.models import Movement
from bodega_sdk import hold_words, transaction
from bodega_sdk.errors import Conflict, FieldError, InvalidInput

#: Kind → what a quantity that somebody names means for what is available.
SIGNS: dict[str, Callable[[int], int]] = {
    "receipt": int,
    "return": int,
    "sale": lambda quantity: -quantity,
    "adjustment": int,
}


def move(
    kind: str, items: Sequence[Item], cause: Cause, organization: UUID | None = None
) -> list[Movement]:
    """Move items, all of them or none; what was moved by the same key is not moved again.

    Args:
        kind: ``receipt``, ``sale``, ``return`` or ``adjustment``.
        organization: for which: others' products are refused; None for the whole shop.

    Raises:
        InvalidInput: there is no such product, or a quantity is out of its bounds.
        OutOfStock: naming each item that is short.
        Conflict: the key moved something else.
        PermissionDenied: a product is not the organization's.
    """
    _refuse_quantities(kind, items)
    with transaction():
        if cause.key is not None:
            hold_words(f"inventory {cause.key}")
        book = Book(items)
        book.refuse_others(organization)
        done = _done(cause.key, organization)
        if done:
            _refuse_other_use(kind, items, done)
            return done
        made = [
            book.move(item, kind, SIGNS[kind](item.quantity), cause, place)
            for place, item in enumerate(items)
        ]
        book.close(cause.reference)
        return made


def _refuse_quantities(kind: str, items: Sequence[Item]) -> None:
    if not items:
        raise InvalidInput("There is nothing to move.", [FieldError("items", "Name an item.")])
    least = -LARGEST if kind == "adjustment" else 1
    errors = [
        FieldError(f"items.{place}.quantity", f"Expected {least} to {LARGEST}, not 0.", number)
        for place, number in enumerate(item.quantity for item in items)
        if number == 0 or not least <= number <= LARGEST
    ]
    twice = len({item.id for item in items}) < len(items)
    if twice:
        errors.append(FieldError("items", "Name each item but once."))
    if errors:
        raise InvalidInput(f"'{errors[0].field}': {errors[0].message}", errors)


def _done(key: str | None, organization: UUID | None) -> list[Movement]:
    """Return what a key moved already; whoever uses the same key waited for that.

    Keys of one organization are nothing to another.
    """
    if key is None:
        return []
    query = Movement.select().where(Movement.key == key)
    if organization is not None:
        query = query.where(Movement.organization == organization)
    return list(query.order_by(Movement.id))


def _refuse_other_use(kind: str, items: Sequence[Item], done: Sequence[Movement]) -> None:
    asked = {(item.id, kind, SIGNS[kind](item.quantity)) for item in items}
    if asked != {(one.item, one.kind, one.quantity) for one in done}:
        message = "This key has moved something else; choose another."
        raise Conflict(message, [FieldError("key", message, done[0].key)])


def moved(rows: Sequence[Movement]) -> list[Moved]:
    """Return movements as other addons see them."""
    return [
        Moved(row.id, Item(row.product, row.variant, row.quantity), row.kind, row.available)
        for row in rows
    ]


def receive(
    items: Sequence[Item], *, reason: str = "", reference: str = "", key: str | None = None,
    actor: str = "",
) -> list[Moved]:  # fmt: skip
    """Put goods that arrived on the shelf.

    Args:
        items: each but once, with how many.
        reason, reference, key, actor: see :class:`bodega_inventory.book.Cause`.

    Raises:
        InvalidInput, Conflict: see :func:`move`.
    """
    return moved(move("receipt", items, Cause(reason, reference, key, actor)))


def restock(
    items: Sequence[Item], *, reason: str = "", reference: str = "", key: str | None = None,
    actor: str = "",
) -> list[Moved]:  # fmt: skip
    """Put goods that came back from a customer on the shelf again.

    Args:
        items: each but once, with how many.
        reason, reference, key, actor: see :class:`bodega_inventory.book.Cause`.

    Raises:
        InvalidInput, Conflict: see :func:`move`.
    """
    return moved(move("return", items, Cause(reason, reference, key, actor)))


def sell(
    items: Sequence[Item], *, reason: str = "", reference: str = "", key: str | None = None,
    actor: str = "",
) -> list[Moved]:  # fmt: skip
    """Take goods off the shelf that were sold without a reservation.

    Args:
        items: each but once, with how many.
        reason, reference, key, actor: see :class:`bodega_inventory.book.Cause`.

    Raises:
        InvalidInput, OutOfStock, Conflict: see :func:`move`.
    """
    return moved(move("sale", items, Cause(reason, reference, key, actor)))


def adjust(
    items: Sequence[Item], *, reason: str = "", reference: str = "", key: str | None = None,
    actor: str = "",
) -> list[Moved]:  # fmt: skip
    """Correct what is on the shelf by so many pieces, up or down.

    Args:
        items: each but once; a quantity below zero takes pieces away.
        reason, reference, key, actor: see :class:`bodega_inventory.book.Cause`.

    Raises:
        InvalidInput, OutOfStock, Conflict: see :func:`move`.
    """
    return moved(move("adjustment", items, Cause(reason, reference, key, actor)))
