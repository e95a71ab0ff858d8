"""Making, changing, ending and deleting coupons."""

import re
from typing import Any

import pytest

from bodega_coupons import codes
from bodega_coupons.models import Coupon
from bodega_sdk import uuid7

COUPONS = "/api/v1/coupons"


def test_a_coupon_is_made_and_reached_by_its_code_however_that_is_typed(
    staff: Any, coupon: Any, goods: Any
) -> None:
    lamp = goods.make()
    made = coupon(
        " Spring-24 ", percent="12.5", maximum_discount="20", minimum_subtotal="50.00",
        limit=100, limit_per_customer=1, valid_from="2026-01-01T00:00:00Z",
        valid_until="2027-01-01T00:00:00+01:00", products=[str(lamp)], description="For spring",
    )  # fmt: skip
    assert made["code"] == "Spring-24"
    assert (made["percent"], made["amount"]) == ("12.50", None)
    assert (made["maximum_discount"], made["minimum_subtotal"]) == ("20.00", "50.00")
    assert (made["limit"], made["limit_per_customer"], made["uses"]) == (100, 1, 0)
    assert made["valid_until"] == "2026-12-31T23:00:00Z"
    assert made["products"] == [str(lamp)]
    assert staff.client.get(f"{COUPONS}/spring-24").expect(200) == made
    assert staff.client.get(f"{COUPONS}?code=SPRING-24").expect(200)["results"] == [made]
    assert staff.client.get(f"{COUPONS}?search=ing-2").expect(200)["count"] == 1
    assert staff.client.get(f"{COUPONS}?usable=false").expect(200)["count"] == 0
    taken = coupon("SPRING-24", percent="5", expect=409)
    assert taken["errors"][0]["field"] == "code"


SENSELESS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "percentage"}, "percent"),
    ({"kind": "percentage", "percent": "0"}, "percent"),
    ({"kind": "percentage", "percent": "100.01"}, "percent"),
    ({"kind": "percentage", "percent": "1.234"}, "percent"),
    ({"kind": "percentage", "percent": "5", "amount": "1", "currency": "EUR"}, "amount"),
    ({"kind": "fixed_amount", "currency": "EUR"}, "amount"),
    ({"kind": "fixed_amount", "amount": "5"}, "amount"),
    ({"kind": "fixed_amount", "amount": "0", "currency": "EUR"}, "amount"),
    ({"kind": "fixed_amount", "amount": "0.5", "currency": "JPY"}, "amount"),
    ({"kind": "free_shipping", "percent": "5"}, "percent"),
    ({"kind": "free_shipping", "minimum_subtotal": "5"}, "minimum_subtotal"),
    ({"kind": "free_shipping", "currency": "eur"}, "currency"),
    ({"kind": "free_shipping", "currency": ""}, "currency"),
    ({"kind": "free_shipping", "limit": 0}, "limit"),
    ({"kind": "free_shipping", "code": "50%"}, "code"),
    ({"kind": "free_shipping", "code": "ÉTÉ"}, "code"),
    ({"kind": "free_shipping", "products": [str(uuid7())]}, "products.0"),
    ({"kind": "free_shipping", "categories": [str(uuid7())]}, "categories.0"),
    ({"kind": "free_shipping", "uses": 3}, "uses"),
    ({"kind": "free_shipping", "valid_from": "2026-01-02T00:00:00Z",
      "valid_until": "2026-01-02T00:00:00Z"}, "valid_until"),
]  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_terms_that_make_no_sense_are_refused_naming_the_member(staff: Any) -> None:
    for members, field in SENSELESS:
        refused = staff.client.post(COUPONS, {"code": "X"} | members).expect(422)
        assert [one["field"] for one in refused["errors"]] == [field], members
    assert Coupon.select().count() == 0


def test_a_changed_coupon_is_looked_at_as_a_whole_and_keeps_its_uses(
    staff: Any, coupon: Any
) -> None:
    path = f"{COUPONS}/{coupon('SPRING', percent='10')['id']}"
    Coupon.update(uses=3).execute()
    changed = staff.client.patch(path, {"percent": "15", "limit": 2}).expect(200)
    assert (changed["percent"], changed["limit"], changed["uses"]) == ("15.00", 2, 3)
    refused = staff.client.patch(path, {"kind": "fixed_amount"}).expect(422)
    assert refused["errors"][0]["field"] == "amount"
    whole = {"code": "Summer", "kind": "fixed_amount", "amount": "5", "currency": "EUR"}
    replaced = staff.client.put(path, whole).expect(200)
    assert (replaced["code"], replaced["percent"], replaced["amount"]) == ("Summer", None, "5.00")
    assert (replaced["limit"], replaced["uses"]) == (None, 3)
    coupon("WINTER", percent="5")
    staff.client.patch(path, {"code": "winter"}).expect(409)
    assert staff.client.patch(path, {"code": "SUMMER"}).expect(200)["code"] == "SUMMER"


def test_a_coupon_is_ended_once_and_deleted_while_nobody_has_used_it(
    staff: Any, coupon: Any
) -> None:
    path = f"{COUPONS}/{coupon('SPRING', percent='10')['id']}"
    ended = staff.client.post(f"{path}/end").expect(200)
    assert ended["active"] is False
    assert staff.client.post(f"{path}/end").expect(200) == ended
    assert staff.client.get(f"{COUPONS}?active=true").expect(200)["count"] == 0
    staff.client.delete(path).expect(204)
    staff.client.get(path).expect(404)
    staff.client.get(f"{path}/redemptions").expect(404)


def test_codes_are_generated_that_nobody_can_guess_each_for_one_order(
    staff: Any, coupon: Any
) -> None:
    body = {"kind": "percentage", "percent": "10", "count": 1000, "prefix": "News-"}
    sent = {"headers": {"Idempotency-Key": "k"}}
    made = staff.client.post(f"{COUPONS}/generate", body, **sent).expect(201)
    again = staff.client.post(f"{COUPONS}/generate", body, **sent).expect(201)
    assert again == made
    assert len({codes.key_of(code) for code in made["codes"]}) == made["count"] == 1000
    assert all(re.fullmatch(rf"News-[{codes.ALPHABET}]{{12}}", one) for one in made["codes"])
    assert len(codes.ALPHABET) ** codes.LENGTH > 2**57
    batch = staff.client.get(f"{COUPONS}?batch={made['batch']}&page_size=1").expect(200)
    assert (batch["count"], batch["results"][0]["limit"]) == (1000, 1)
    assert Coupon.select().count() == 1000
    for wrong in ({"count": 1001}, {"count": 0}, {"prefix": "a b"}, {"percent": None}):
        staff.client.post(f"{COUPONS}/generate", body | wrong).expect(422)


def test_customers_neither_see_nor_make_coupons(vera: Any, client: Any, coupon: Any) -> None:
    path = f"{COUPONS}/{coupon('SPRING', percent='10')['id']}"
    body = {"code": "MINE", "kind": "percentage", "percent": "100"}
    for who, status in ((vera.client, 403), (client, 401)):
        who.get(COUPONS).expect(status)
        who.get(path).expect(status)
        who.get(f"{path}/redemptions").expect(status)
        who.post(COUPONS, body).expect(status)
        who.post(f"{COUPONS}/generate", body | {"count": 1}).expect(status)
        who.post(f"{path}/end").expect(status)


def test_operators_make_generate_list_and_end_coupons(run: Any, row: Any) -> None:
    assert "SPRING: 12.5 % off" in run("coupons", "make", "SPRING", "--percent", "12.5")
    assert "5.00 EUR" in run("coupons", "make", "FIVE", "--amount", "5", "--currency", "EUR")
    assert "amount" in run("coupons", "make", "YEN", "--amount", "5.5", "--currency", "JPY", code=1)
    run("coupons", "make", "BOTH", "--amount", "5", "--percent", "3", code=2)
    made = run("coupons", "generate", "3", "--free-shipping", "--until", "2030-01-01")
    assert len([line for line in made.splitlines() if " " not in line]) == 3
    assert "SPRING has ended" in run("coupons", "end", "spring")
    run("coupons", "end", "NOBODY", code=1)
    listed = run("coupons", "list")
    assert listed.count("\n") == 5
    assert "ended" in listed
    assert not row("SPRING").active
