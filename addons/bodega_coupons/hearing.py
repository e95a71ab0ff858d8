"""What coupons do about events of orders."""

from uuid import UUID

from bodega_coupons.redeeming import release
from bodega_sdk import Occurrence


def give_back(event: Occurrence) -> None:
    """Release what a cancelled order has used; heard again, nothing is left to release."""
    release(UUID(event.key))
