"""Using coupons up, and giving uses back. Call these in a transaction.

Coupons are held in the order of their ids, after everything that orders hold; who holds one
counts its uses as they are.
"""

from collections.abc import Iterable
from uuid import UUID

from bodega_coupons import events, judging
from bodega_coupons.customers import Customer, counted
from bodega_coupons.discounting import SOURCE
from bodega_coupons.firsts import not_the_first
from bodega_coupons.models import REDEEMED, RELEASED, Coupon, Redemption
from bodega_orders.api import DiscountFacts, OrderFacts
from bodega_sdk import hold_words, locked, now


def redeem(order: OrderFacts) -> str | None:
    """Use up what an order was given, or say why it cannot be had any more.

    Quoting looked without holding anything; here it is looked at again, under the lock.
    """
    given = {UUID(one.reference): one for one in order.discounts if one.source == SOURCE}
    held = hold(given)
    if len(held) < len(given):
        return "A coupon of this order is not there any more."
    customer = Customer.of(order.account, order.email)
    if any(coupon.first_order_only for coupon in held):
        # Of two first orders at once, with a coupon each, one is the first.
        hold_words(*(f"coupons first order of {one}" for one in customer.names))
    for coupon in held:
        reason = _refusal(coupon, customer, order)
        if reason is not None:
            return reason
    for coupon in held:
        _write(coupon, order, given[coupon.id])
    return None


def hold(keys: Iterable[UUID]) -> list[Coupon]:
    """Return coupons in the order of their ids, locked until the commit."""
    wanted = list(keys)
    query = Coupon.select().where(Coupon.id.in_(wanted)).order_by(Coupon.id)
    return list(locked(query)) if wanted else []


def _refusal(coupon: Coupon, customer: Customer, order: OrderFacts) -> str | None:
    reason = judging.over(coupon, now())
    if reason is None and coupon.most_uses_each is not None:
        reason = judging.exhausted_by(coupon, _uses_of(coupon, customer))
    return reason or not_the_first(coupon, customer, order.id)


def _uses_of(coupon: Coupon, customer: Customer) -> int:
    theirs = (Redemption.coupon == coupon.id) & customer.redeemed()
    found: int = Redemption.select().where(theirs).count()
    return found


def _write(coupon: Coupon, order: OrderFacts, given: DiscountFacts) -> None:
    made: Redemption = Redemption.create(
        coupon=coupon.id, order=order.id, number=order.number, account=order.account,
        email=counted(order.email), amount_minor=given.amount.minor,
        currency=given.amount.currency,
    )  # fmt: skip
    _count(coupon, 1)
    events.publish(events.coupon_redeemed, coupon, made)


def _count(coupon: Coupon, step: int) -> None:
    coupon.uses, coupon.updated_at = coupon.uses + step, now()
    values = {"uses": coupon.uses, "updated_at": coupon.updated_at}
    Coupon.update(values).where(Coupon.id == coupon.id).execute()


def release(order: UUID) -> int:
    """Give back what an order has used, once; return how many uses that were."""
    used = (Redemption.order == order) & (Redemption.state == REDEEMED)
    keys = [key for (key,) in Redemption.select(Redemption.coupon).where(used).tuples()]
    held = {coupon.id: coupon for coupon in hold(keys)}
    # Read again under the lock: somebody may have released it meanwhile.
    rows = list(Redemption.select().where(used).order_by(Redemption.coupon))
    for row in rows:
        _give_back(held[row.coupon_id], row)
    return len(rows)


def _give_back(coupon: Coupon, row: Redemption) -> None:
    row.state, row.released_at = RELEASED, now()
    row.updated_at = row.released_at
    row.save()
    _count(coupon, -1)
    events.publish(events.coupon_released, coupon, row)
