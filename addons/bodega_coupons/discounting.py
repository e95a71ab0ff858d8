"""What the codes of a purchase take off it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import peewee

from bodega_coupons import judging
from bodega_coupons.customers import Customer
from bodega_coupons.firsts import not_the_first
from bodega_coupons.models import FIXED, PERCENTAGE, SHIPPING, Coupon, Redemption
from bodega_orders.api import Discount, Discounts, Draft, RefusedCode, share, split
from bodega_sdk import Money

#: Hundredths of a percent in one.
WHOLE = 10_000
#: What discounts are said to come from.
SOURCE = "coupons"


def with_coupons(discounts: Discounts, draft: Draft) -> Discounts:
    """Return discounts with those that the draft's codes give behind them.

    They come off in the order of the codes, each of what is left by those before it.
    """
    customer = Customer.of(draft.account, draft.email)
    taken: list[Coupon] = []
    for coupon, uses in _found(draft, customer):
        reason = _barred(coupon, uses, customer, draft) or judging.together(coupon, taken)
        given = None if reason else discount_of(coupon, draft, discounts.given)
        reason = reason or judging.useless(coupon, given, discounts.given)
        if given is None or reason:
            refused = RefusedCode(coupon.key, str(reason))
            discounts = replace(discounts, refused=(*discounts.refused, refused))
            continue
        taken.append(coupon)
        accepted = (*discounts.accepted, coupon.key)
        discounts = replace(discounts, given=(*discounts.given, given), accepted=accepted)
    return discounts


def _found(draft: Draft, customer: Customer) -> list[tuple[Coupon, int]]:
    """Return the coupons of a draft's codes that customers may know of, in the codes' order.

    Each with how often the customer has used it: one query for all of them.
    """
    codes = list(dict.fromkeys(draft.codes))
    if not codes:
        return []
    uses = Redemption.select(peewee.fn.COUNT(Redemption.id))
    uses = uses.where((Redemption.coupon == Coupon.id) & customer.redeemed())
    query = Coupon.select(Coupon, uses.alias("uses_of_theirs")).where(Coupon.key.in_(codes))
    rows: dict[str, Any] = {row.key: row for row in query}
    known = [rows[code] for code in codes if code in rows]
    return [(row, row.uses_of_theirs) for row in known if not judging.is_hidden(row, draft.at)]


def _barred(coupon: Coupon, uses: int, customer: Customer, draft: Draft) -> str | None:
    """Say why this customer cannot use a coupon for this purchase, or None."""
    return (
        judging.over(coupon, draft.at)
        or judging.exhausted_by(coupon, uses)
        or judging.unsuitable(coupon, draft)
        or not_the_first(coupon, customer)
    )


def discount_of(coupon: Coupon, draft: Draft, given: Sequence[Discount]) -> Discount:
    """Return what a coupon takes off what other discounts have left."""
    left = judging.left(judging.of_coupon(coupon, draft), given)
    # By item, so that the order of the lines does not matter.
    items = sorted(left)
    whole = Money(_worth(coupon, sum(left.values())), draft.currency)
    parts = zip(items, split(whole, [left[item] for item in items]), strict=True)
    amounts = {item: part for item, part in parts if part.minor}
    return Discount(SOURCE, str(coupon.id), label(coupon), amounts, coupon.kind == SHIPPING)


def _worth(coupon: Coupon, there: int) -> int:
    """Return how much comes off so much, in minor units."""
    if coupon.kind == FIXED:
        return min(int(coupon.amount_minor), there)
    if coupon.kind == PERCENTAGE:
        part = share(there, coupon.rate, WHOLE)
        return part if coupon.maximum_minor is None else min(part, int(coupon.maximum_minor))
    return 0


def label(coupon: Coupon) -> str:
    """Return what a customer reads, e.g. ``SPRING: 12.5 % off``."""
    return f"{coupon.code}: {worth(coupon)}"


def worth(coupon: Coupon) -> str:
    """Return what a coupon gives, e.g. ``12.5 % off``."""
    if coupon.kind == SHIPPING:
        return "free shipping"
    if coupon.kind == FIXED:
        return f"{judging.told(coupon.money(coupon.amount_minor))} off"
    return f"{coupon.rate / 100:g} % off"
