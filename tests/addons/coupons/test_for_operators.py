"""What operators see and try out: the console's pages, and sample data."""

from typing import Any

import pytest

from bodega_coupons.models import Coupon
from bodega_orders.models import Line, Order
from bodega_orders.rules_models import ShippingMethod, TaxRate


def test_the_console_shows_coupons_and_who_used_them_to_those_who_may(
    vera: Any, staff: Any, coupon: Any, goods: Any
) -> None:
    made = coupon("SPRING", percent="12.5", limit=10, description="For spring")
    coupon("OLD")
    staff.client.post("/api/v1/coupons/OLD/end").expect(200)
    order = vera.order("SPRING", items={goods.make(): 1})

    def page(who: Any, path: str) -> Any:
        session = {"Cookie": f"bodega_console={who.client.token}"}
        return who.client.get(f"/console/{path}", headers=session)

    listed = page(staff, "coupons").text
    for text in ("SPRING", "12.5 % off", "For spring", "usable", "OLD", "ended"):
        assert text in listed
    assert "OLD" not in page(staff, "coupons?usable=true").text
    used = page(staff, f"coupons/redemptions?coupon={made['id']}").text
    for text in (order["number"], "vera@shop.example", "redeemed", "1.25"):
        assert text in used
    assert page(vera, "coupons").status_code == 403


@pytest.mark.slow
def test_sample_data_has_coupons_and_orders_and_takes_them_away_again(run: Any) -> None:
    told = run("sample-data", "--count", "12")
    assert "coupons" in told
    orders = list(Order.select())
    assert len(orders) == 3
    for order in orders:
        assert Line.select().where(Line.order == order.id).exists()
        net = order.subtotal - order.discount
        assert order.total == net + order.shipping + order.tax
    assert (ShippingMethod.select().count(), TaxRate.select().count()) == (2, 3)
    count = Coupon.select().count()
    run("sample-data", "--count", "12")
    assert (Order.select().count(), Coupon.select().count()) == (3, count)
    run("sample-data", "--remove")
    for model in (Order, Line, Coupon, ShippingMethod, TaxRate):
        assert model.select().count() == 0
