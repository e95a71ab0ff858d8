"""Discounts of any coupon on any purchase: exact, bounded, and the same in any order."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega_coupons.discounting import discount_of
from bodega_coupons.models import FIXED, KINDS, PERCENTAGE, Coupon
from bodega_orders.api import Destination, Discount, Draft, DraftLine
from bodega_sdk import Money, now

PRICES = st.integers(0, 10**9)
CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD"])


def line(number: int, price: int, quantity: int, currency: str) -> DraftLine:
    """Return a line of a draft."""
    key = UUID(int=number)
    return DraftLine(key, key, None, "", "", {}, quantity, Money(price, currency))


@st.composite
def drafts(draw: Any) -> Draft:
    """Return a draft of up to eight lines."""
    currency = draw(CURRENCIES)
    rows = draw(st.lists(st.tuples(PRICES, st.integers(1, 1000)), min_size=1, max_size=8))
    lines = tuple(line(place, *row, currency) for place, row in enumerate(rows))
    return Draft(lines, currency, None, "", Destination(), (), "", now())


@st.composite
def coupons(draw: Any, currency: str) -> Coupon:
    """Return a coupon, for some of the lines perhaps."""
    some = draw(st.lists(st.integers(0, 7), max_size=3, unique=True))
    return Coupon(
        code="X", kind=draw(st.sampled_from(KINDS)), rate=draw(st.integers(1, 10_000)),
        amount_minor=draw(st.integers(1, 10**12)), currency=currency,
        maximum_minor=draw(st.none() | st.integers(1, 10**10)),
        products=[str(UUID(int=number)) for number in some],
    )  # fmt: skip


@st.composite
def purchases(draw: Any) -> tuple[Draft, list[Coupon]]:
    """Return a draft, and coupons that come off one after the other."""
    draft = draw(drafts())
    return draft, draw(st.lists(coupons(draft.currency), min_size=1, max_size=3))


def taken(draft: Draft, wanted: list[Coupon]) -> list[Discount]:
    """Return what coupons take off, one after the other."""
    given: list[Discount] = []
    for coupon in wanted:
        given.append(discount_of(coupon, draft, given))
    return given


def whole_of(coupon: Coupon, there: int) -> int:
    """Return what a coupon takes off so much, by another way of reckoning."""
    if coupon.kind == PERCENTAGE:
        whole, rest = divmod(there * coupon.rate, 10_000)
        rounded = whole + (rest >= 5000)
        return rounded if coupon.maximum_minor is None else min(rounded, coupon.maximum_minor)
    return min(there, coupon.amount_minor) if coupon.kind == FIXED else 0


@given(purchases())
@settings(max_examples=300, deadline=None)
def test_parts_add_up_to_the_whole_and_no_line_gives_more_than_it_has(
    purchase: tuple[Draft, list[Coupon]],
) -> None:
    draft, wanted = purchase
    left = {one.item: one.subtotal.minor for one in draft.lines}
    for coupon, given_ in zip(wanted, taken(draft, wanted), strict=True):
        fits = {key for key in left if not coupon.products or str(key) in coupon.products}
        parts = {item: amount.minor for item, amount in given_.amounts.items()}
        assert sum(parts.values()) == whole_of(coupon, sum(left[key] for key in fits))
        assert parts.keys() <= fits
        assert all(0 < part <= left[item] for item, part in parts.items())
        assert {amount.currency for amount in given_.amounts.values()} <= {draft.currency}
        left |= {item: left[item] - part for item, part in parts.items()}


@given(purchases(), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_lines_does_not_matter(
    purchase: tuple[Draft, list[Coupon]], chance: Any
) -> None:
    draft, wanted = purchase
    lines = list(draft.lines)
    chance.shuffle(lines)
    turned = Draft(
        tuple(lines), draft.currency, None, "", draft.destination, (), "", draft.at
    )  # fmt: skip
    assert taken(turned, wanted) == taken(draft, wanted)


@pytest.mark.parametrize(("there", "rate", "off"), [(5, 1000, 1), (4, 1000, 0), (1, 10_000, 1)])
def test_half_a_minor_unit_is_rounded_up(there: int, rate: int, off: int) -> None:
    draft = Draft(
        (line(1, there, 1, "JPY"),), "JPY", None, "", Destination(), (), "", now()
    )  # fmt: skip
    coupon = Coupon(code="X", kind=PERCENTAGE, rate=rate)
    assert sum(one.minor for one in discount_of(coupon, draft, []).amounts.values()) == off
