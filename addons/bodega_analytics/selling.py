"""Reports of what was sold: sums, growth, trend, estimate. No currency is added to another."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from bodega_analytics.models import DAY, SLOT, BuyerSales, Interest, Sales
from bodega_analytics.periods import Period
from bodega_analytics.reading import served, sums, total, within
from bodega_analytics.slots import moment_of
from bodega_sdk import Money

#: Measures that are amounts of money; the others count.
AMOUNTS = frozenset(
    ("goods", "discounts", "shipping", "taxes", "gross", "cancelled", "refunds", "net", "paid",
     "returns", "average_order")
)  # fmt: skip
#: What growth is told of.
GROWING = ("orders", "gross", "net", "average_order", "customers", "new_customers")
_TREND = ("orders", "units", "gross", "cancelled", "refunds", "paid")
#: Days that an estimate is made of, and for.
_PAST = 30

Numbers = dict[str, int]


def sales(period: Period, currency: str | None = None) -> list[dict[str, Any]]:
    """Return what was sold in a period, by currency, and how that grew since the one before."""
    now, before = figures(period, currency), figures(period.before, currency)
    codes = [currency] if currency else sorted({*now, *before})
    nothing = derived({})
    return [
        _shown(code, now.get(code, nothing)) | {
            "previous": amounts(code, _of(before.get(code, nothing))),
            "growth": {
                name: growth(now.get(code, nothing)[name], before.get(code, nothing)[name])
                for name in GROWING
            },
        }
        for code in codes
    ]  # fmt: skip


def figures(period: Period, currency: str | None = None) -> dict[str, Numbers]:
    """Return all that is known of the sales of a period, by currency, in three queries."""
    edges = period.edges
    more = () if currency is None else (Sales.currency == currency,)
    found = {
        code: dict(zip(Sales.measures, numbers, strict=True))
        for code, *numbers in sums(Sales, edges, [Sales.currency], Sales.measures, *more)
    }
    everybody, new = _customers(edges), _customers(edges, only_new=True)
    return {
        code: derived(numbers, everybody.get(code, 0), new.get(code, 0))
        for code, numbers in found.items()
    }


def derived(numbers: Mapping[str, int], customers: int = 0, new: int = 0) -> Numbers:
    """Return measures with what follows from them."""
    found = {name: numbers.get(name, 0) for name in Sales.measures}
    orders, gross = found["orders"], found["gross"]
    return found | {
        "net": gross - found["cancelled"] - found["refunds"],
        # To the nearest minor unit, halves upwards.
        "average_order": (2 * gross + orders) // (2 * orders) if orders else 0,
        "customers": customers,
        "new_customers": new,
    }


def _customers(edges: Sequence[int], *, only_new: bool = False) -> dict[str, int]:
    """Return how many different people ordered, by currency; or those who never had before."""
    query = BuyerSales.select(
        BuyerSales.currency, peewee.fn.COUNT(BuyerSales.buyer.distinct()).coerce(False)
    ).where(within(BuyerSales, edges), BuyerSales.orders > 0)
    if only_new:
        earlier = BuyerSales.alias()
        old = earlier.select(peewee.SQL("1")).where(
            earlier.generation == BuyerSales.generation, earlier.buyer == BuyerSales.buyer,
            earlier.span == SLOT, earlier.at < edges[0], earlier.orders > 0,
        )  # fmt: skip
        query = query.where(~peewee.fn.EXISTS(old))
    return dict(query.group_by(BuyerSales.currency).tuples())


def growth(now: int, before: int) -> str | None:
    """Return by how many per cent a number grew, with two decimals.

    None when there was nothing before, or less than that: nothing can be compared with it.
    """
    if before <= 0:
        return None
    hundredths = ((now - before) * 20_000 + before) // (2 * before)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"


def amounts(code: str, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Return numbers as they are shown: amounts as decimal strings of their currency."""
    return {
        name: str(Money(number, code)) if name in AMOUNTS else number
        for name, number in numbers.items()
    }


def _shown(code: str, numbers: Numbers) -> dict[str, Any]:
    return {"currency": code} | amounts(code, numbers)


def _of(numbers: Numbers) -> Numbers:
    return {name: numbers[name] for name in GROWING}


def label(slot: int, zone: ZoneInfo, interval: str) -> str:
    """Return when an interval begins, as its zone says: a day, or an hour with its offset."""
    local: datetime = moment_of(slot).astimezone(zone)
    return local.isoformat(timespec="minutes") if interval == "hour" else str(local.date())


def trend(period: Period, interval: str, currency: str | None = None) -> list[dict[str, Any]]:
    """Return what was sold in each interval of a period, by currency; zeros where nothing was."""
    edges = period.cut(interval)
    more = () if currency is None else (Sales.currency == currency,)
    found: dict[tuple[str, int], list[int]] = {}
    for code, at, *numbers in sums(Sales, edges, [Sales.currency, Sales.at], _TREND, *more):
        held = found.setdefault((code, bisect_right(edges, at) - 1), [0] * len(_TREND))
        for place, number in enumerate(numbers):
            held[place] += number
    codes = [currency] if currency else sorted({code for code, _ in found})
    return [
        {"start": label(edge, period.zone, interval)}
        | _point(code, found.get((code, place), [0] * len(_TREND)))
        for code in codes
        for place, edge in enumerate(edges[:-1])
    ]


def _point(code: str, numbers: Sequence[int]) -> dict[str, Any]:
    found = dict(zip(_TREND, numbers, strict=True))
    net = found["gross"] - found["cancelled"] - found["refunds"]
    return _shown(code, found | {"net": net})


def views_trend(period: Period, interval: str, product: Any = None) -> list[dict[str, Any]]:
    """Return how often something was looked at, or put into a cart, in each interval."""
    edges, more = period.cut(interval), () if product is None else (Interest.product == product,)
    found = [[0, 0] for _ in edges[1:]]
    for at, views, carted in sums(Interest, edges, [Interest.at], ("views", "carted"), *more):
        held = found[bisect_right(edges, at) - 1]
        held[0] += views
        held[1] += carted
    return [
        {"start": label(edge, period.zone, interval), "views": views, "carted": carted}
        for edge, (views, carted) in zip(edges, found, strict=False)
    ]


def estimate(today: Period, currency: str | None = None) -> list[dict[str, Any]]:
    """Return what all orders come to, by currency, and what the next 30 days may bring.

    That is what the 30 whole days before today brought: an estimate, not a promise.

    Args:
        today: the day that it is.
    """
    names = ("orders", "gross", "cancelled", "refunds")
    query = Sales.select(Sales.currency, *(total(Sales, name) for name in names))
    ever = query.where(Sales.span == DAY, served(Sales)).group_by(Sales.currency)
    yesterday = today.first - timedelta(days=1)
    past = Period(yesterday - timedelta(days=_PAST - 1), yesterday, today.zone)
    lately = {
        code: gross - cancelled - refunds
        for code, gross, cancelled, refunds in sums(Sales, past.edges, [Sales.currency], names[1:])
    }
    found = {code: [int(one) for one in numbers] for code, *numbers in ever.tuples()}
    codes = [currency] if currency else sorted(found)
    return [_estimate(code, found.get(code, [0] * 4), lately.get(code, 0)) for code in codes]


def _estimate(code: str, numbers: Sequence[int], lately: int) -> dict[str, Any]:
    orders, gross, cancelled, refunds = numbers
    shown = {
        "gross": gross, "cancelled": cancelled, "refunds": refunds,
        "net": gross - cancelled - refunds, "last_30_days": lately,
        "next_30_days": max(0, lately),
    }  # fmt: skip
    told = {name: str(Money(number, code)) for name, number in shown.items()}
    return {"currency": code, "orders": orders} | told
