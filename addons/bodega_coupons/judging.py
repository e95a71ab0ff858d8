"""Why a coupon gives nothing for a purchase, in one sentence for the customer.

What nobody should learn by trying codes is not told: a coupon that has not begun yet, or was
switched off before anybody used it, is to customers as if it were not there.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from bodega_coupons.models import SHIPPING, Coupon
from bodega_orders.api import Discount, Draft, DraftLine
from bodega_sdk import Money


def is_hidden(coupon: Coupon, at: datetime) -> bool:
    """Whether customers are told that there is no such code."""
    begun = coupon.valid_from is None or coupon.valid_from <= at
    return not begun or not (coupon.active or coupon.uses)


def over(coupon: Coupon, at: datetime) -> str | None:
    """Say why nobody can use a coupon that has begun, or None."""
    if not coupon.active:
        return f"{coupon.code} is no longer valid."
    if coupon.valid_until is not None and coupon.valid_until <= at:
        return f"{coupon.code} ended on {coupon.valid_until:%Y-%m-%d}."
    return exhausted(coupon)


def exhausted(coupon: Coupon) -> str | None:
    """Say that a coupon was used as often as it can be, or None."""
    if coupon.most_uses is None or coupon.uses < coupon.most_uses:
        return None
    if coupon.most_uses == 1:
        return f"{coupon.code} has been used already."
    return f"{coupon.code} has been used as often as it can be."


def exhausted_by(coupon: Coupon, uses: int) -> str | None:
    """Say that somebody has used a coupon as often as one may, or None.

    Args:
        uses: how often they did.
    """
    most = coupon.most_uses_each
    if most is None or uses < most:
        return None
    return f"{coupon.code} can be used {'once' if most == 1 else f'{most} times'} by each customer."


def of_coupon(coupon: Coupon, draft: Draft) -> list[DraftLine]:
    """Return the lines of a draft that a coupon is for."""
    products, categories = set(coupon.products), set(coupon.categories)
    if not products and not categories:
        return list(draft.lines)
    return [
        line
        for line in draft.lines
        if str(line.product) in products or not categories.isdisjoint(map(str, line.categories))
    ]


def unsuitable(coupon: Coupon, draft: Draft) -> str | None:
    """Say why a coupon is not for a purchase, or None."""
    lines = of_coupon(coupon, draft)
    if coupon.currency and coupon.currency != draft.currency:
        return f"{coupon.code} is for purchases in {coupon.currency}."
    if not draft.lines:
        return f"There is nothing to use {coupon.code} for yet."
    if not lines:
        return f"{coupon.code} is for other products."
    if coupon.kind == SHIPPING and all(line.digital for line in lines):
        return f"{coupon.code} gives free shipping, and nothing has to be sent."
    there = sum(line.subtotal.minor for line in lines)
    return _short(coupon, there, restricted=bool(coupon.products or coupon.categories))


def _short(coupon: Coupon, there: int, *, restricted: bool) -> str | None:
    if there >= (coupon.minimum_minor or 0):
        return None
    needs, has = coupon.money(coupon.minimum_minor), coupon.money(there)
    what = " of what it is for" if restricted else ""
    return f"{coupon.code} needs {told(needs)}{what}; there is {told(has)}."


def together(coupon: Coupon, before: Iterable[Coupon]) -> str | None:
    """Say that a coupon cannot be used beside others, or None."""
    for other in before:
        if not (coupon.combinable and other.combinable):
            return f"{coupon.code} cannot be combined with {other.code}."
    return None


def useless(coupon: Coupon, given: Discount | None, before: Sequence[Discount]) -> str | None:
    """Say that a coupon would be used up for nothing, or None."""
    if given is None or any(amount.minor for amount in given.amounts.values()):
        return None
    if not given.free_shipping:
        return f"There is nothing left for {coupon.code} to take off."
    if any(one.free_shipping for one in before):
        return f"Shipping is free already, without {coupon.code}."
    return None


def left(lines: Iterable[DraftLine], given: Iterable[Discount]) -> dict[UUID, int]:
    """Return what is left of lines after discounts, by item, in minor units."""
    found = {line.item: line.subtotal.minor for line in lines}
    for discount in given:
        for item, amount in discount.amounts.items():
            if item in found:
                found[item] = max(0, found[item] - amount.minor)
    return found


def told(amount: Money) -> str:
    """Return an amount as it stands in a sentence, e.g. ``50.00 EUR``."""
    return f"{amount} {amount.currency}"
