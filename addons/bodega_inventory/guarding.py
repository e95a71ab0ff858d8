"""What keeps products from being deleted."""

from collections.abc import Sequence
from uuid import UUID

from bodega_inventory.models import OPEN, Reservation
from bodega_sdk.bulk import portions


def why_not(products: Sequence[UUID]) -> str | None:
    """Return why products must not be deleted: somebody was promised pieces of them."""
    count = 0
    for some in portions(products):
        mine = Reservation.product.in_(some)
        count += Reservation.select().where(Reservation.status == OPEN, mine).count()
    return f"There are {count} open reservation(s) of it; release them first." if count else None
