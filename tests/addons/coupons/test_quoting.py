"""What codes take off: exact amounts, and the reason where there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bodega_coupons.models import Coupon
from bodega_orders.api import Quote
from bodega_products.models import Category, Product
from bodega_sdk import Money, now
from bodega_sdk.testing.queries import query_counter

COUPONS = "/api/v1/coupons"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


def off(quote: Quote) -> dict[UUID, str]:
    """What comes off each product."""
    return {line.line.product: str(line.discount) for line in quote.lines}


def why(quote: Quote) -> dict[str, str]:
    """The reasons of codes that give nothing."""
    return {one.code: one.reason for one in quote.refused}


def test_a_percentage_is_rounded_once_and_split_over_the_lines_to_the_last_cent(
    ask: Any, coupon: Any, goods: Any
) -> None:
    items = {goods.make(price=333): 1, goods.make(price=334): 1, goods.make(price=338): 1}
    coupon("TEN", percent="10")
    found = ask(items, "ten")
    # 10 % of 10.05 is 1.005, and half a cent is rounded up.
    assert (str(found.subtotal), str(found.discount), str(found.total)) == ("10.05", "1.01", "9.04")
    assert off(found) == dict(zip(items, ("0.33", "0.34", "0.34"), strict=True))
    assert [one.label for one in found.discounts] == ["TEN: 10 % off"]
    coupon("MOST", percent="50", maximum_discount="3")
    assert str(ask(items, "MOST").discount) == "3.00"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("currency", "price", "percentage", "amount", "fixed"),
    [("JPY", 1005, "101", "300", "300"), ("KWD", 1005, "0.101", "0.300", "0.300")],
)
def test_currencies_with_none_or_three_decimals_are_exact_too(
    ask: Any, coupon: Any, goods: Any, currency: str, price: int, percentage: str,
    amount: str, fixed: str,
) -> None:  # fmt: skip
    items = {goods.make(price=price, currency=currency): 1}
    coupon("TEN", percent="10")
    coupon("FIXED", amount=amount, currency=currency)
    assert str(ask(items, "TEN", currency=currency).discount) == percentage
    assert str(ask(items, "FIXED", currency=currency).discount) == fixed


def test_a_fixed_amount_is_never_above_the_price_and_only_in_its_currency(
    ask: Any, coupon: Any, goods: Any
) -> None:
    cheap, dear = goods.make(price=300), goods.make(price=10_000, currency="EUR")
    coupon("FIVE", amount="5")
    found = ask({cheap: 1}, "FIVE")
    assert (str(found.discount), str(found.total)) == ("3.00", "0.00")
    refused = ask({dear: 1}, "FIVE", currency="EUR")
    assert why(refused) == {"FIVE": "FIVE is for purchases in USD."}
    assert refused.total == Money(10_000, "EUR")


def test_a_coupon_is_for_the_products_and_categories_that_it_names_and_those_below(
    ask: Any, coupon: Any, goods: Any, admin: Any
) -> None:
    made = admin.post("/api/v1/categories", {"name": "Lamps"}).expect(201)
    below = admin.post("/api/v1/categories", {"name": "Desk", "parent": "lamps"}).expect(201)
    chair, lamp, desk = goods.make(), goods.make(), goods.make()
    for product, category in ((lamp, made), (desk, below)):
        there = Category.get_by_id(UUID(category["id"]))
        Product.update(category=there).where(Product.id == product).execute()
    items = {chair: 1, lamp: 1, desk: 2}
    coupon("LAMPS", percent="10", categories=[made["id"]])
    assert off(ask(items, "LAMPS")) == {chair: "0.00", lamp: "1.00", desk: "2.00"}
    coupon("DESKS", percent="10", categories=[below["id"]], products=[str(chair)])
    assert off(ask(items, "DESKS")) == {chair: "1.00", lamp: "0.00", desk: "2.00"}
    assert why(ask({chair: 1}, "LAMPS")) == {"LAMPS": "LAMPS is for other products."}
    coupon("MUCH", percent="10", categories=[made["id"]], minimum_subtotal="50.00")
    told = "MUCH needs 50.00 USD of what it is for; there is 30.00 USD."
    assert why(ask(items, "MUCH")) == {"MUCH": told}


def test_each_refusal_has_its_reason_in_one_sentence(ask: Any, coupon: Any, goods: Any) -> None:
    lamp, yesterday = goods.make(price=3210), now() - timedelta(days=1)
    coupon("MINIMUM", percent="10", minimum_subtotal="50")
    coupon("ENDED", percent="10")
    coupon("OVER", percent="10")
    coupon("LAST", percent="10", limit=1)
    coupon("FEW", percent="10", limit=3)
    Coupon.update(uses=3, active=False).where(Coupon.key == "ENDED").execute()
    Coupon.update(valid_until=datetime(2026, 5, 1, tzinfo=UTC)).where(
        Coupon.key == "OVER"
    ).execute()
    Coupon.update(uses=1).where(Coupon.key == "LAST").execute()
    Coupon.update(uses=3).where(Coupon.key == "FEW").execute()
    codes = ("MINIMUM", "ENDED", "OVER", "LAST", "FEW", "NONE")
    assert why(ask({lamp: 1}, *codes)) == {
        "MINIMUM": "MINIMUM needs 50.00 USD; there is 32.10 USD.",
        "ENDED": "ENDED is no longer valid.",
        "OVER": "OVER ended on 2026-05-01.",
        "LAST": "LAST has been used already.",
        "FEW": "FEW has been used as often as it can be.",
        "NONE": "There is no such code.",
    }
    # What has not begun, or was never used, is nobody's business.
    Coupon.update(uses=0).where(Coupon.key == "ENDED").execute()
    coupon("SOON", percent="10", valid_from=(now() + timedelta(days=1)).isoformat())
    coupon("TODAY", percent="10", valid_from=yesterday.isoformat())
    reasons = why(ask({lamp: 1}, "ENDED", "SOON", "TODAY"))
    assert reasons == dict.fromkeys(("ENDED", "SOON"), "There is no such code.")


def test_coupons_come_off_one_after_the_other_and_only_beside_others_that_allow_it(
    ask: Any, coupon: Any, goods: Any
) -> None:
    items = {goods.make(price=1000): 1}
    coupon("HALF", percent="50", combinable=True)
    coupon("FOUR", amount="4.00", combinable=True)
    coupon("ALONE", percent="10")
    coupon("ALL", percent="100", combinable=True)
    both = ask(items, "HALF", "FOUR")
    assert [one.label for one in both.discounts] == ["HALF: 50 % off", "FOUR: 4.00 USD off"]
    assert (str(both.discount), str(both.total)) == ("9.00", "1.00")
    assert str(ask(items, "FOUR", "HALF").total) == "3.00"
    assert why(ask(items, "HALF", "ALONE")) == {"ALONE": "ALONE cannot be combined with HALF."}
    assert why(ask(items, "ALONE", "HALF")) == {"HALF": "HALF cannot be combined with ALONE."}
    spent = ask(items, "ALL", "HALF")
    assert why(spent) == {"HALF": "There is nothing left for HALF to take off."}
    assert str(spent.total) == "0.00"


def test_free_shipping_is_for_what_is_sent_and_given_once(
    ask: Any, coupon: Any, goods: Any
) -> None:
    book, file = goods.make(), goods.make(is_digital=True)
    coupon("SHIP", combinable=True)
    coupon("SEND", combinable=True)
    assert [one.free_shipping for one in ask({book: 1, file: 1}, "SHIP").discounts] == [True]
    refused = why(ask({file: 1}, "SHIP"))
    assert refused == {"SHIP": "SHIP gives free shipping, and nothing has to be sent."}
    twice = why(ask({book: 1}, "SHIP", "SEND"))
    assert twice == {"SEND": "Shipping is free already, without SEND."}


def test_all_codes_of_a_purchase_take_one_query_and_none_takes_none(
    ask: Any, coupon: Any, goods: Any
) -> None:
    items = {goods.make(): 1}
    for code in ("ONE", "TWO", "THREE"):
        coupon(code, percent="5", combinable=True, limit_per_customer=1)
    ask(items, email="ada@x.example")
    with query_counter() as without:
        ask(items, email="ada@x.example")
    with query_counter() as with_codes:
        found = ask(items, "ONE", "TWO", "THREE", "NONE", email="ada@x.example")
    assert len(found.discounts) == 3
    assert len(with_codes) == len(without) + 1


def test_anybody_may_ask_what_codes_take_off_and_nothing_is_used_up(
    client: Any, coupon: Any, goods: Any, row: Any
) -> None:
    lamp = goods.make(price=2000)
    coupon("TEN", percent="10", combinable=True, limit=1)
    coupon("ALONE", percent="10")
    things = {"items": [{"product": str(lamp), "quantity": 2}]}
    for _ in range(2):
        told = client.post(f"{COUPONS}/validate", things | {"code": " ten"}).expect(200)
    assert told == {
        "valid": True, "currency": "USD", "subtotal": "40.00", "discount": "4.00",
        "codes": [{"code": "TEN", "valid": True, "reason": "", "label": "TEN: 10 % off",
                   "discount": "4.00", "free_shipping": False}],
    }  # fmt: skip
    both = client.post(f"{COUPONS}/validate", things | {"codes": ["TEN", "ALONE", "X"]}).expect(200)
    assert (both["valid"], both["discount"]) == (False, "4.00")
    assert [one["reason"] for one in both["codes"]] == [
        "", "ALONE cannot be combined with TEN.", "There is no such code.",
    ]  # fmt: skip
    assert row("TEN").uses == 0
    for wrong in ({}, {"codes": []}, {"code": ""}, {"codes": ["x"] * 11}):
        client.post(f"{COUPONS}/validate", things | wrong).expect(422)
    client.post(f"{COUPONS}/validate", {"code": "TEN", "items": []}).expect(422)


def test_who_tries_codes_is_stopped_before_one_is_found(
    client: Any, coupon: Any, goods: Any
) -> None:
    coupon("SECRET", percent="10")
    things = {"items": [{"product": str(goods.make())}]}
    for number in range(3):
        body = things | {"codes": [f"TRY{number}{place}" for place in range(10)]}
        client.post(f"{COUPONS}/validate", body).expect(200)
    for code in ("TRY", "SECRET"):
        refused = client.post(f"{COUPONS}/validate", things | {"code": code})
        assert int(refused.headers["Retry-After"]) > 0
        refused.expect(429)
        # Nor by another way.
        client.post("/api/v1/carts", {"codes": [code]}).expect(429)
        order = {"codes": [code], "email": "ada@x.example", "shipping_address": ADDRESS}
        client.post("/api/v1/orders", things | order).expect(429)
