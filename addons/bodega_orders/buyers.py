"""What is known of those who bought."""

from collections.abc import Collection
from uuid import UUID

from bodega_orders import statuses
from bodega_orders.models import Order


def has_ordered(account: UUID | None, emails: Collection[str], but: UUID | None = None) -> bool:
    """Whether somebody has an order here that was not cancelled.

    Args:
        account: whose; None for a guest.
        emails: addresses of theirs, in lower case.
        but: an order that does not count.
    """
    theirs = Order.email.in_(sorted(emails))
    if account is not None:
        theirs |= Order.account == account
    query = Order.select().where(theirs, Order.status != statuses.CANCELLED)
    found: bool = (query if but is None else query.where(Order.id != but)).exists()
    return found
