"""Coupons for a first order."""

from uuid import UUID

from bodega_coupons.customers import Customer
from bodega_coupons.models import Coupon
from bodega_orders.api import has_ordered


def not_the_first(coupon: Coupon, customer: Customer, order: UUID | None = None) -> str | None:
    """Say that a coupon is for a first order and this is none, or None.

    While nothing is known of the customer it may be.

    Args:
        order: the one that is being placed.
    """
    if not coupon.first_order_only or not customer.is_known:
        return None
    emails = customer.emails | customer.addresses
    if not has_ordered(customer.account, emails, order):
        return None
    return f"{coupon.code} is for a first order only."
