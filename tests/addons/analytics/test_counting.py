"""Counting: events that come twice, late or never; addons that come later; views."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import EventRow
from bodega_analytics import counting, live, rebuilding
from bodega_analytics.models import SUMS, Counted, Interest, Sales, State
from bodega_orders.models import Order
from bodega_sdk import now, transaction, uuid7
from bodega_sdk.runtime import bound
from busy_shop import Seller, goods

PHONE = {"User-Agent": "Mozilla/5.0 (iPhone) Safari/605"}
VIEWS = "/api/v1/analytics/views"


@pytest.fixture
def seller(shop: Any) -> Seller:
    """Somebody who sells three products."""
    return Seller(goods(3))


def sums() -> Any:
    """All that is served, without keys."""
    served = State.get_by_id(1).serving
    return {
        name: sorted(
            tuple(getattr(row, one) for one in ("span", "at", "currency", *model.measures))
            for row in model.select().where(model.generation == served)
            if any(getattr(row, one) for one in model.measures)
        )
        for name, model in SUMS.items()
    }


def test_events_that_come_twice_or_break_off_count_once(
    seller: Seller, count: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [seller.some() for _ in range(6)]
    seller.pay(orders[0])
    with monkeypatch.context() as patched:

        def crash() -> None:
            raise RuntimeError("the worker dies right before the commit")

        patched.setattr(counting, "touch", crash)
        with pytest.raises(RuntimeError):
            count()
    assert Sales.select().count() == Counted.select().count() == 0
    count()
    once = sums()
    assert sum(row[3] for row in once["sales"]) == 12  # six orders, by slot and by day
    seller.refund(orders[0], 10)
    count()
    then = sums()
    assert then != once
    for name in ("order.*", "payment.*"):
        replayed = f"{name}>bodega_analytics.hearing.count_orders"
        run("events", "replay", replayed, "--from", "1")
    assert count() > 7
    assert sums() == then
    assert "The sums are right." in run("analytics", "check")


def test_a_check_tells_what_is_wrong_and_a_rebuild_mends_it(
    seller: Seller, count: Any, run: Any
) -> None:
    order, gone = seller.some(), seller.some()
    count()
    right = sums()
    Sales.update(gross=Sales.gross + 100).where(Sales.span == 1).execute()
    told = run("analytics", "check", code=1)
    assert "sum=sales" in told
    assert "measure=gross too_high_by=100" in told
    Order.delete().where(Order.id == gone.id).execute()
    assert "Orders counted: 1." in run("analytics", "rebuild")
    assert "The sums are right." in run("analytics", "check")
    assert sums() != right
    assert {row.order for row in Counted.select()} == {order.id}
    assert {row.generation for row in Sales.select()} == {State.get_by_id(1).serving}


def test_what_happens_during_a_rebuild_is_counted_in_both_generations(
    seller: Seller, count: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = seller.some()
    count()
    portions = rebuilding._portions

    def sell_meanwhile() -> Any:
        yield from portions()
        seller.pay(first)
        seller.some()
        count()

    monkeypatch.setattr(rebuilding, "_portions", sell_meanwhile)
    run("analytics", "rebuild")
    monkeypatch.undo()
    assert "The sums are right." in run("analytics", "check")
    assert {row.order for row in Counted.select()} == {row.id for row in Order.select()}


@pytest.mark.slow
def test_analytics_that_comes_later_counts_what_was_there(
    shop: Any, seller: Seller, jobs: Any, count: Any, report: Any, clock: Any
) -> None:
    seller.pay(seller.order((seller.products[0], 1, 900)))
    lifecycle.disable(shop, "analytics")
    shop.refresh()
    with bound(shop.current):
        seller.order((seller.products[0], 1, 100))
    lifecycle.enable(shop, "analytics")
    shop.refresh()
    with bound(shop.current):
        jobs.begin_to_listen()
        clock.move(minutes=2)
        jobs.run_all()
        (row,) = report("sales")["rows"]
        assert (row["gross"], row["paid"]) == ("10.00", "9.00")
        assert rebuilding.check() == []
    # Without payments and all that is about them the rest is served.
    lifecycle.disable(shop, "payments")
    lifecycle.disable(shop, "webhooks")
    shop.refresh()
    with bound(shop.current):
        assert rebuilding.is_due()
        clock.move(minutes=2)
        jobs.run_all()
        assert not rebuilding.is_due()
        told = report("sales")
        assert (told["left_out"], told["rows"][0]["gross"]) == (["payments"], "10.00")
        assert report("dashboard")["left_out"] == ["payments", "webhooks"]
        assert report("dashboard/stats")["total_events_sent"] is None


def test_views_are_counted_of_people_and_of_what_is_sold(
    client: Any, seller: Seller, count: Any, report: Any
) -> None:
    lamp, table, hidden = map(str, seller.products)
    client.as_user("admin").patch(f"/api/v1/products/{hidden}", {"is_active": False}).expect(200)
    sent = [{"product": one} for one in (lamp, lamp, table, hidden, str(uuid7()))]
    told = client.post(VIEWS, {"views": sent}, headers=PHONE).expect(202)
    assert told["recorded"] == 3
    for agent in ("Googlebot/2.1", "curl/8"):
        body = {"views": [{"product": lamp, "user_agent": agent}]}
        assert client.post(VIEWS, body, headers=PHONE).expect(202)["recorded"] == 0
    client.post(VIEWS, {"views": sent * 21}, headers=PHONE).expect(422)
    with transaction():
        assert EventRow.select().where(EventRow.name == "views.recorded").count() == 1
    cart = client.post("/api/v1/carts", {"currency": "USD"}).expect(201)
    items, token = f"/api/v1/carts/{cart['id']}/items", {"Cart-Token": cart["token"]}
    for _ in range(2):
        client.post(items, {"product": lamp, "quantity": 1}, headers=token)
    seller.pay(seller.order((seller.products[0], 2, 900)))
    count()
    assert [(row["name"], row["views"]) for row in report("products/views")["rows"]] == [
        ("Product 0", 2), ("Product 1", 1),
    ]  # fmt: skip
    stages = {row["stage"]: row["count"] for row in report("funnel", product=lamp)["rows"]}
    assert stages == {"viewed": 2, "carted": 1, "ordered": 1, "paid": 1}
    (best,) = report("products/popular", by="units")["rows"]
    assert (best["views"], best["carted"], best["units"]) == (2, 1, 2)
    today = report("views", product=lamp)["rows"][-1]
    assert (today["views"], today["carted"]) == (2, 1)
    assert {row.product for row in Interest.select()} == set(seller.products[:2])
    client.get(VIEWS).expect(401)


def test_the_channel_tells_once_what_changed(seller: Seller, count: Any) -> None:
    assert not live.tell()
    seller.order((seller.products[0], 1, 900))
    count()
    assert live.tell()
    assert not live.tell()
    row = EventRow.select().where(EventRow.name == "analytics.updated").get()
    assert row.data["rows"] == [
        {"currency": "USD", "orders": 1, "gross": "9.00", "net": "9.00"}
    ]  # fmt: skip


def test_reports_are_for_staff_and_come_as_tables(
    client: Any, seller: Seller, count: Any, report: Any
) -> None:
    seller.order((seller.products[0], 1, 900), currency="JPY")
    count()
    staff = client.as_user("staff")
    for path in ("sales", "dashboard/stats", "stock"):
        client.get(f"/api/v1/analytics/{path}").expect(401)
        client.as_user("vendor").get(f"/api/v1/analytics/{path}").expect(403)
    table = staff.get("/api/v1/analytics/sales?format=csv")
    head, line = table.text.splitlines()
    cells = dict(zip(head.split(","), line.split(","), strict=True))
    assert (cells["currency"], cells["gross"], cells["growth.gross"]) == ("JPY", "900", "")
    assert table.headers["content-disposition"] == 'attachment; filename="sales.csv"'
    for path in ("sales/trend", "products/top", "categories/top", "products/popular", "views",
                 "funnel", "payments/usage", "stock", "stock/low", "dashboard", "sales/estimate",
                 "products/views"):  # fmt: skip
        found = staff.get(f"/api/v1/analytics/{path}?format=csv")
        assert (found.status_code, "," in found.text) == (200, True)
    for wrong in ("from=2026-02-30", "from=20260101", "to=1999-12-31", "zone=Mars/Base",
                  "zone=Europe", "from=2026-02-02&to=2026-02-01", "from=2000-01-01&to=2026-01-01",
                  "currency=eur"):  # fmt: skip
        staff.get(f"/api/v1/analytics/sales?{wrong}").expect(400)
    long = "sales/trend?interval=hour&from=2026-01-01&to=2026-06-01"
    staff.get(f"/api/v1/analytics/{long}").expect(400)


def test_the_stock_is_worth_what_it_is_sold_for(seller: Seller, report: Any) -> None:
    from bodega_inventory import api as inventory

    lamp, table = seller.products[:2]
    inventory.receive([inventory.Item(lamp, None, 3), inventory.Item(table, None, 1)], reason="x")
    found = report("stock")
    (worth,) = found["rows"]
    assert (worth["pieces"], worth["price"], worth["cost"]) == (4, "40.00", "16.00")
    assert found["low"] == 2
    assert UUID(found["lowest"][0]["product"]) == table


def test_the_console_shows_it_with_pictures(client: Any, seller: Seller, count: Any) -> None:
    seller.pay(seller.order((seller.products[0], 1, 900)))
    count()
    staff, vendor = client.as_user("staff"), client.as_user("vendor")

    def page(who: Any) -> Any:
        return who.get("/console/analytics", headers={"Cookie": f"bodega_console={who.token}"})

    shown = page(staff).text
    for text in ("Net sales by day", "<svg", "From looking to paying", "Product 0", "9.00"):
        assert text in shown
    assert page(vendor).status_code == 403


@pytest.mark.slow
def test_samples_are_looked_at_and_their_orders_count(
    jobs: Any, run: Any, report: Any, clock: Any
) -> None:
    told = run("sample-data", "--count", "20")
    assert "views" in told
    clock.move(minutes=2)
    jobs.run_all()
    days = {"from_": now().date() - timedelta(days=100), "to": now().date()}
    rows = report("sales", **days)["rows"]
    assert sum(row["orders"] for row in rows) == Order.select().count() > 0
    assert sum(row["views"] for row in report("views", **days)["rows"]) > 20
    assert rebuilding.check() == []
    assert "Nothing to do" in run("sample-data", "--count", "20")
    run("sample-data", "--remove")
    clock.move(minutes=2)
    jobs.run_all()
    assert (report("sales", **days)["rows"], Interest.select().count()) == ([], 0)
