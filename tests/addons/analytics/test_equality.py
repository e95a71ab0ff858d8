"""After thousands of orders by chance, reports say what SQL over the raw tables says."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

import raw_tables
from bodega_orders.models import Order
from bodega_sdk import Money
from bodega_sdk.testing.queries import query_counter
from busy_shop import Seller, at, goods

ZONES = (
    "UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Chatham", "Asia/Kolkata",
)  # fmt: skip
#: The shop's days: some before, some behind those on which clocks are put forward and back.
FIRST, DAYS = date(2027, 2, 20), 260
READS = ("sales", "sales/trend?interval=week", "products/top", "categories/top", "funnel",
         "products/popular?by=units", "payments/usage", "dashboard")  # fmt: skip


def compare(report: Callable[..., Any], first: date, last: date, zone: str) -> None:
    """Hold the reports of some days against the raw tables."""
    days = {"from_": first, "to": last, "zone": zone}
    expected = raw_tables.sales(first, last, zone)
    found = {row["currency"]: row for row in report("sales", **days)["rows"]}
    for code, numbers in expected.items():
        assert {name: found[code][name] for name in numbers} == numbers, (code, first, last, zone)
    for code in found.keys() - expected.keys():
        # It had some in the period before.
        assert (found[code]["gross"], found[code]["net"]) == (str(Money(0, code)),) * 2
    for interval in ("day", "week", "month"):
        points = report("sales/trend", interval=interval, **days)["rows"]
        for code, numbers in expected.items():
            mine = [point for point in points if point["currency"] == code]
            net = sum((Decimal(point["net"]) for point in mine), Decimal())
            assert net == Decimal(numbers["net"]), (code, interval, first, last, zone)
    sold = raw_tables.products(first, last, zone, "USD")
    best = report("products/top", limit=100, by="units", currency="USD", **days)["rows"]
    assert _figures(best, "product") == _ranked(sold)
    groups = report("categories/top", limit=100, by="units", currency="USD", **days)["rows"]
    assert _figures(groups, "category") == _ranked(raw_tables.categories(sold))


def _figures(rows: Any, key: str) -> dict[str | None, tuple[int, int]]:
    return {
        row[key] and row[key].replace("-", ""): (row["units"], Money.parse(row["net"], "USD").minor)
        for row in rows
    }


def _ranked(found: Any) -> Any:
    """Leave out what nothing was ordered of: it is no best seller, even if some came back."""
    return {key: numbers for key, numbers in found.items() if numbers[0]}


def ask_at_random(report: Callable[..., Any], chance: Random, times: int) -> None:
    """Compare some periods by chance, of some length and of one day each."""
    for number in range(times):
        first = FIRST + timedelta(days=chance.randrange(DAYS))
        length = chance.choice((0, 1, 6, 29, 200))
        compare(report, first, first + timedelta(days=length), ZONES[number % len(ZONES)])


def sell(clock: Any, orders: int, chance: Random) -> None:
    """Let a shop sell, some orders at a time, while its clock is moved on and back by chance."""
    seller = Seller(goods(20, groups=4), chance)
    for _ in range(0, orders, 100):
        clock.set(at(f"{FIRST}T00:00Z") + timedelta(minutes=chance.randrange(DAYS * 1440)))
        seller.day(100, clock)
    clock.set(at(f"{FIRST}T00:00Z") + timedelta(days=DAYS))


def reads_of(report: Callable[..., Any]) -> dict[str, int]:
    """Return how many statements each report costs."""
    found = {}
    for path in READS:
        name, _, query = path.partition("?")
        with query_counter() as asked:
            report(name, from_=FIRST, to=FIRST + timedelta(days=DAYS),
                   **dict([query.split("=")] if query else []))  # fmt: skip
        found[path] = len(asked)
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_after_10_000_random_orders_reports_equal_the_raw_tables(
    clock: Any, count: Any, report: Any, run: Any
) -> None:
    chance = Random(11)
    sell(clock, 300, chance)
    count()
    reads_of(report)  # What is asked once only, e.g. for keys, is not counted.
    few = reads_of(report)
    begun = time.monotonic()
    sell(clock, 9_700, chance)
    sold = time.monotonic()
    count()
    print(f"sold in {sold - begun:.1f} s, counted in {time.monotonic() - sold:.1f} s")
    assert Order.select().count() == 10_000
    ask_at_random(report, chance, 7)
    assert "The sums are right." in run("analytics", "check")
    assert reads_of(report) == few
    # All of it once more from the tables: nothing changes.
    assert "Orders counted: 10000." in run("analytics", "rebuild")
    ask_at_random(report, chance, 3)


def test_a_few_random_orders_are_the_same_in_every_zone(
    clock: Any, count: Any, report: Any, run: Any
) -> None:
    chance = Random(3)
    sell(clock, 100, chance)
    count()
    ask_at_random(report, chance, 4)
    assert "The sums are right." in run("analytics", "check")
