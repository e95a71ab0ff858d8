"""Reports: what counts when, in which days, in which currency."""

from typing import Any

import pytest

from busy_shop import Seller, at, goods


@pytest.fixture
def seller(shop: Any) -> Seller:
    """Somebody who sells three products."""
    return Seller(goods(3))


def test_each_thing_counts_at_its_own_time(
    seller: Seller, clock: Any, jobs: Any, report: Any, run: Any
) -> None:
    lamp, table, _ = seller.products
    clock.set(at("2027-03-10T12:00Z"))
    kept = seller.order((lamp, 2, 1000), (table, 1, 500), shipping=300, discount=100)
    lost = seller.order((lamp, 1, 1000), email="otto@x.example", stock="released")
    yen = seller.order((table, 1, 700), currency="JPY")
    clock.set(at("2027-03-11T12:00Z"))
    seller.pay(kept)
    seller.cancel(lost)
    clock.set(at("2027-03-12T12:00Z"))
    seller.refund(kept, 600)
    jobs.run_all()

    whole = report("sales", from_="2027-03-10", to="2027-03-12")
    dollars, yens = sorted(whole["rows"], key=lambda row: row["currency"], reverse=True)[:2]
    if dollars["currency"] != "USD":
        dollars, yens = yens, dollars
    assert (dollars["orders"], dollars["units"], dollars["goods"]) == (2, 4, "35.00")
    assert (dollars["discounts"], dollars["shipping"], dollars["gross"]) == (
        "1.00",
        "3.00",
        "37.00",
    )
    assert (dollars["cancelled_orders"], dollars["cancelled"]) == (1, "10.00")
    assert (dollars["refunds"], dollars["net"]) == ("6.00", "21.00")
    assert (dollars["paid_orders"], dollars["paid"]) == (1, "27.00")
    assert (dollars["average_order"], dollars["customers"]) == ("18.50", 2)
    assert (yens["currency"], yens["gross"], yens["average_order"]) == ("JPY", "700", "700")
    assert yen.total == 700
    # Nothing was there before: growth is null, and no error.
    assert set(dollars["growth"].values()) == {None}

    days = [report("sales", from_=day, to=day, currency="USD")["rows"][0]
            for day in ("2027-03-10", "2027-03-11", "2027-03-12")]  # fmt: skip
    assert [day["net"] for day in days] == ["37.00", "-10.00", "-6.00"]
    assert [day["growth"]["net"] for day in days] == [None, "-127.03", None]
    assert [day["customers"] for day in days] == [2, 0, 0]
    points = report("sales/trend", from_="2027-03-09", to="2027-03-12", currency="USD")["rows"]
    assert [(point["start"], point["net"]) for point in points] == [
        ("2027-03-09", "0.00"), ("2027-03-10", "37.00"), ("2027-03-11", "-10.00"),
        ("2027-03-12", "-6.00"),
    ]  # fmt: skip
    (month,) = report(
        "sales/trend", from_="2027-03-09", to="2027-03-12", currency="USD", interval="month"
    )["rows"]
    assert month["net"] == "21.00"
    best = report("products/top", from_="2027-03-10", to="2027-03-12")["rows"]
    assert [(row["name"], row["units"], row["net"]) for row in best] == [
        ("Product 0", 3, "19.00"), ("Product 1", 1, "5.00"),
    ]  # fmt: skip
    groups = report("categories/top", from_="2027-03-10", to="2027-03-12")["rows"]
    assert [(row["name"], row["net"]) for row in groups] == [(None, "19.00"), ("Group 0", "5.00")]
    (used,) = report("payments/usage", from_="2027-03-10", to="2027-03-12")["rows"]
    assert (used["captured"], used["refunded"], used["kept"]) == ("27.00", "6.00", "21.00")
    assert "The sums are right." in run("analytics", "check")
    stages = report("funnel", from_="2027-03-10", to="2027-03-12")["rows"]
    assert [row["count"] for row in stages] == [0, 0, 4, 2]
