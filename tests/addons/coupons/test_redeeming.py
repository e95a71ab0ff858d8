"""Using coupons up with orders, and getting uses back when they are cancelled."""

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bodega.database.tables import EventRow
from bodega_accounts.accounts import delete_account
from bodega_coupons import checking, redeeming
from bodega_coupons.models import Coupon, Redemption
from bodega_orders.api import OrderFacts, orders_of
from bodega_orders.models import Order
from bodega_orders.rules_models import ShippingMethod
from bodega_sdk import now, transaction, uuid7

COUPONS = "/api/v1/coupons"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


def events() -> list[tuple[str, int]]:
    """The events of coupons, with the uses that they tell of."""
    mine = EventRow.select().where(EventRow.name.startswith("coupon.")).order_by(EventRow.id)
    return [(row.name, row.data["uses"]) for row in mine]


def agree() -> bool:
    """Whether counts and ledger agree."""
    return checking.check() == []


def test_an_order_uses_its_coupon_and_a_cancelled_one_gives_it_back_once(
    vera: Any, staff: Any, coupon: Any, goods: Any, row: Any, jobs: Any, ask: Any
) -> None:
    lamp = goods.make(price=2000)
    made = coupon("LAST", percent="10", limit=1)
    order = vera.order("last", items={lamp: 2})
    assert (order["discount"], order["total"], order["codes"]) == ("4.00", "36.00", ["LAST"])
    path = f"{COUPONS}/{made['id']}/redemptions"
    (used,) = staff.client.get(path).expect(200)["results"]
    assert (used["order"], used["number"]) == (order["id"], order["number"])
    assert (used["amount"], used["currency"], used["state"]) == ("4.00", "USD", "redeemed")
    assert (used["account"], used["email"]) == (str(vera.account.id), "vera@shop.example")
    refused = vera.order("LAST", items={lamp: 1}, expect=422)
    assert "LAST has been used already." in refused["errors"][0]["message"]
    staff.client.delete(f"{COUPONS}/{made['id']}").expect(409)
    vera.client.post(f"/api/v1/orders/{order['id']}/cancel", {}).expect(200)
    jobs.run_all()
    assert row("LAST").uses == 0
    with transaction():
        assert redeeming.release(UUID(order["id"])) == 0
    (back,) = staff.client.get(f"{path}?state=released").expect(200)["results"]
    assert back["released_at"]
    assert events() == [("coupon.redeemed", 1), ("coupon.released", 0)]
    assert vera.order("LAST", items={lamp: 1})["discount"] == "2.00"
    assert "end it instead" in staff.client.delete(f"{COUPONS}/LAST").expect(409)["detail"]
    assert staff.client.patch(f"{COUPONS}/LAST", {"code": "NEW"}).expect(409)
    assert row("LAST").uses == 1
    assert agree()


def test_customers_are_counted_by_account_and_by_address_however_it_is_written(
    vera: Any, guest: Any, coupon: Any, goods: Any
) -> None:
    lamp = goods.make()
    coupon("ONCE", percent="10", limit_per_customer=1)
    vera.order("ONCE", items={lamp: 1})
    guest("ada@x.example").order("ONCE", items={lamp: 1})
    told = "ONCE can be used once by each customer."
    for who in (vera, guest("vera@shop.example"), guest("Ada@X.example"), guest("ada+2@x.example")):
        refused = who.order("ONCE", items={lamp: 1}, expect=422)
        assert told in refused["errors"][0]["message"]
    guest("eve@x.example").order("ONCE", items={lamp: 1})
    coupon("TWICE", percent="10", limit_per_customer=2)
    for status in (201, 201, 422):
        guest("ada@x.example").order("TWICE", items={lamp: 1}, expect=status)
    assert agree()


def test_a_coupon_for_a_first_order_is_for_those_who_have_not_bought_before(
    vera: Any, guest: Any, coupon: Any, goods: Any, ask: Any
) -> None:
    lamp = goods.make()
    coupon("HELLO", percent="10", first_order_only=True)
    first = vera.order("HELLO", items={lamp: 1})
    refused = vera.order("HELLO", items={lamp: 1}, expect=422)
    assert "HELLO is for a first order only." in refused["errors"][0]["message"]
    guest("vera@shop.example").order("HELLO", items={lamp: 1}, expect=422)
    assert ask({lamp: 1}, "HELLO").refused == ()
    vera.client.post(f"/api/v1/orders/{first['id']}/cancel", {}).expect(200)
    vera.order("HELLO", items={lamp: 1})


def facts(order: Any) -> OrderFacts:
    """What is known of an order."""
    return orders_of([UUID(order["id"])])[UUID(order["id"])]


def test_what_ran_out_since_it_was_quoted_refuses_the_order_and_nothing_of_it_stays(
    vera: Any, guest: Any, coupon: Any, goods: Any, row: Any
) -> None:
    lamp = goods.make()
    for code in ("ONE", "EACH", "ENDED", "OVER", "GONE"):
        coupon(code, percent="5", combinable=True, limit_per_customer=5)
    codes = ("ONE", "EACH", "ENDED", "OVER", "GONE")
    order = facts(guest("ada@x.example").order(*codes, items={lamp: 1}))
    # As it was quoted for another order that comes to its end a moment later.
    late = {name: getattr(order, name) for name in OrderFacts.__slots__} | {"id": uuid7()}
    changes: dict[str, dict[str, Any]] = {
        "ONE": {"most_uses": 1}, "EACH": {"most_uses_each": 1}, "ENDED": {"active": False},
        "OVER": {"valid_until": now() - timedelta(seconds=1)},
    }  # fmt: skip
    for code, change in changes.items():
        before = {name: getattr(row(code), name) for name in change}
        Coupon.update(change).where(Coupon.key == code).execute()
        with transaction():
            assert str(redeeming.redeem(OrderFacts(**late))).startswith(f"{code} ")
        Coupon.update(before).where(Coupon.key == code).execute()
    Redemption.delete().where(Redemption.coupon == row("GONE").id).execute()
    row("GONE").delete_instance()
    with transaction():
        told = redeeming.redeem(OrderFacts(**late))
    assert told == "A coupon of this order is not there any more."
    assert Redemption.select().count() == 4
    assert agree()


def test_of_eight_checkouts_at_once_one_gets_the_last_use(
    guest: Any, coupon: Any, goods: Any, at_once: Any, row: Any
) -> None:
    lamp = goods.make()
    coupon("LAST", percent="50", limit=1)
    body = {"items": [{"product": str(lamp)}], "codes": ["LAST"], "shipping_address": ADDRESS}

    def buy(number: int) -> Any:
        sent = body | {"email": f"g{number}@x.example"}
        return guest("").client.post("/api/v1/orders", sent)

    answers = at_once(*[lambda number=number: buy(number) for number in range(8)])
    statuses = sorted(item.status_code for item in answers)
    assert statuses.count(201) == 1
    assert set(statuses[1:]) <= {409, 422}
    for item in answers:
        assert item.status_code == 201 or "LAST has been used already." in item.json["detail"]
    assert (Order.select().count(), Redemption.select().count(), row("LAST").uses) == (1, 1, 1)
    assert agree()


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_of_two_first_orders_at_once_with_a_coupon_each_one_is_the_first(
    guest: Any, coupon: Any, goods: Any, at_once: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, held = threading.Barrier(2), redeeming.hold

    def hold(keys: Any) -> Any:
        found = held(keys)
        with suppress(threading.BrokenBarrierError):
            both.wait(3)
        return found

    monkeypatch.setattr(redeeming, "hold", hold)

    def buy(code: str, email: str, product: UUID) -> Any:
        sent = {"items": [{"product": str(product)}], "shipping_address": ADDRESS}
        client = guest("").client
        return client.post("/api/v1/orders", sent | {"email": email, "codes": [code]})

    # Of two things, for whoever orders the same waits for the other anyway.
    lamp, chair = goods.make(), goods.make()
    for code in ("HELLO", "WELCOME"):
        coupon(code, percent="10", first_order_only=True)
    answers = at_once(
        lambda: buy("HELLO", "ada@x.example", lamp),
        lambda: buy("WELCOME", "Ada@x.example", chair),
    )
    assert sorted(item.status_code for item in answers) == [201, 409]
    (order,) = Order.select()
    assert Redemption.select().where(Redemption.order == order.id).count() == 1


def test_the_ledger_outlives_the_account_and_a_wrong_count_is_found_and_mended(
    vera: Any, coupon: Any, goods: Any, row: Any, run: Any
) -> None:
    coupon("TEN", percent="10")
    coupon("NONE", percent="10")
    vera.order("TEN", items={goods.make(): 1})
    with transaction():
        delete_account(vera.account)
    assert Redemption.get().account is None
    assert "agree" in run("coupons", "check")
    Coupon.update(uses=Coupon.uses + 3).execute()
    told = run("coupons", "check", code=1)
    assert "counts 4 uses, the ledger 1" in told
    assert "counts 3 uses, the ledger 0" in told
    assert "2 repaired" in run("coupons", "check", "--repair")
    assert (row("TEN").uses, row("NONE").uses) == (1, 0)
    assert "[]" in run("coupons", "check", "--json")


def test_a_free_shipping_coupon_is_written_down_with_what_shipping_would_have_cost(
    vera: Any, staff: Any, coupon: Any, goods: Any
) -> None:
    ShippingMethod.create(
        code="standard", label="Standard", countries=["GB"], currency="USD", price_minor=490
    )
    coupon("SHIP")
    order = vera.order("SHIP", items={goods.make(): 1}, shipping_method="standard")
    assert (order["shipping"], order["discount"], order["total"]) == ("4.90", "4.90", "10.00")
    made = staff.client.get(f"{COUPONS}/SHIP").expect(200)
    told = staff.client.get(f"{COUPONS}/{made['id']}/redemptions").expect(200)
    assert [one["amount"] for one in told["results"]] == ["4.90"]
