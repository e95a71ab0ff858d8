"""The order of a product's pictures, and which one is the first: all under one lock.

The row of :class:`ProductMedia` is that lock. Whoever changes pictures of a product takes it
first, in a transaction, and calls :func:`arrange` last.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bodega_media.models import Image, ProductMedia
from bodega_sdk import now
from bodega_sdk.errors import invalid

_SHOWN = ("media", "width", "height", "colour", "alt")


def hold(product: UUID) -> ProductMedia:
    """Take the lock of a product's pictures until the commit.

    Raises:
        InvalidInput: the product is not there any more.
    """
    try:
        return ProductMedia.hold(product)
    except ProductMedia.DoesNotExist:
        raise invalid("product", "There is no product with this id.", str(product)) from None


def pictures(product: UUID) -> list[Image]:
    """Return a product's pictures in their order."""
    query = Image.select().where(Image.product == product)
    return list(query.order_by(Image.position, Image.id))


def arrange(product: UUID) -> None:
    """Number the pictures, let one public one be the primary, and tell the product's row."""
    rows = pictures(product)
    public = [row for row in rows if not row.is_private]
    chosen = next((row for row in public if row.is_primary), public[0] if public else None)
    for row in rows:
        if row.is_primary and row is not chosen:
            _set(row, is_primary=False)
    for place, row in enumerate(rows):
        if row.position != place:
            _set(row, position=place)
    if chosen is not None and not chosen.is_primary:
        _set(chosen, is_primary=True)
    ProductMedia.write(product, **_told(chosen, len(public)))


def _told(chosen: Image | None, count: int) -> dict[str, Any]:
    if chosen is None:
        empty = ProductMedia()
        values = {name: getattr(empty, name) for name in (*_SHOWN, "stored")}
    else:
        values = {name: getattr(chosen, name) for name in _SHOWN} | {"stored": chosen.key}
    return values | {"image": chosen.id if chosen else None, "count": count}


def _set(row: Image, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    Image.update(**values, updated_at=now()).where(Image.id == row.id).execute()


def make_primary(row: Image) -> None:
    """Let a picture be its product's primary; the product is held, and arranged later."""
    Image.update(is_primary=False).where(Image.product == row.product, Image.is_primary).execute()
    _set(row, is_primary=True)


def reorder(product: UUID, wanted: Sequence[UUID]) -> None:
    """Put a product's pictures into an order; call it in a transaction.

    Raises:
        InvalidInput: these are not just the product's pictures.
    """
    hold(product)
    rows = {row.id: row for row in pictures(product)}
    if sorted(wanted) != sorted(rows):
        message = "Name each of the product's pictures once, and no others."
        raise invalid("images", message, ", ".join(map(str, wanted)))
    for place, key in enumerate(wanted):
        if rows[key].position != place:
            _set(rows[key], position=place)
    arrange(product)
