"""The coupon with one use left, wanted by many at once: real processes, real HTTP."""

import threading
from typing import Any

import pytest

from bodega_sdk.ids import uuid7

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CUSTOMERS = 40
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}


def opened(deployment: Any) -> tuple[str, str]:
    """Start a shop with one product, enough for all; return a token and its id."""
    deployment.up()
    token = deployment.log_in()
    product = {"name": "Lamp", "sku": "L-1", "price": "20.00"}
    status, made, _ = deployment.call("POST", "/api/v1/products", product, token)
    assert status == 201, made
    assert deployment.command("inventory", "receive", "L-1", "1000").returncode == 0
    return token, made["id"]


def at_once(deployment: Any, bodies: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    """Check out with each of these at the same moment; again where the shop was too busy."""
    gate, answers = threading.Barrier(len(bodies)), [(0, None)] * len(bodies)

    def buy(place: int) -> None:
        key = {"Idempotency-Key": str(uuid7())}
        gate.wait(60)
        for _ in range(50):
            status, told, _ = deployment.call("POST", "/api/v1/orders", bodies[place], "", **key)
            answers[place] = status, told
            if status not in (0, 503):
                return

    hands = [threading.Thread(target=buy, args=(place,)) for place in range(len(bodies))]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(300)
    return answers


def test_no_coupon_is_used_more_often_than_it_may_be_however_many_check_out_at_once(
    deployment: Any,
) -> None:
    token, lamp = opened(deployment)
    last = {"code": "LAST", "kind": "percentage", "percent": "50", "limit": 1}
    each = {"code": "TWO", "kind": "percentage", "percent": "10", "limit_per_customer": 2}
    for coupon in (last, each):
        assert deployment.call("POST", "/api/v1/coupons", coupon, token)[0] == 201
    wanted = {"items": [{"product": lamp}], "shipping_address": ADDRESS, "codes": ["LAST"]}

    # Forty guests want the one with one use left.
    bodies = [wanted | {"email": f"guest{n}@x.example"} for n in range(CUSTOMERS)]
    answers = at_once(deployment, bodies)
    won = [told for status, told in answers if status == 201]
    assert [one["discount"] for one in won] == ["10.00"], answers
    for status, told in answers:
        assert status in (201, 409, 422), told
        assert status == 201 or "LAST has been used already." in told["detail"]
    check_books(deployment, token, "LAST", 1)

    # Cancelled, its use is somebody else's, once.
    path = f"/api/v1/orders/{won[0]['id']}/cancel"
    assert deployment.call("POST", path, {}, token)[0] == 200
    deployment.wait_until(lambda: uses(deployment, token, "LAST") == 0)
    bodies = [wanted | {"email": f"again{n}@x.example"} for n in range(10)]
    assert [status for status, _ in at_once(deployment, bodies)].count(201) == 1
    check_books(deployment, token, "LAST", 1)

    # One customer wants to use the other one more often than each may.
    bodies = [wanted | {"codes": ["TWO"], "email": f"Ada+{n}@x.example"} for n in range(20)]
    assert [status for status, _ in at_once(deployment, bodies)].count(201) == 2
    check_books(deployment, token, "TWO", 2)


def uses(deployment: Any, token: str, code: str) -> int:
    """Return how often a coupon is used, as it says itself."""
    found: int = deployment.get(f"/api/v1/coupons/{code}", token)[1]["uses"]
    return found


def check_books(deployment: Any, token: str, code: str, expected: int) -> None:
    """Check that coupon, ledger, orders and stock say the same."""
    coupon = deployment.get(f"/api/v1/coupons/{code}", token)[1]
    path = f"/api/v1/coupons/{coupon['id']}/redemptions?state=redeemed&page_size=100"
    redemptions = deployment.get(path, token)[1]["results"]
    orders = deployment.get("/api/v1/orders?page_size=100", token)[1]["results"]
    placed = [one for one in orders if one["status"] != "cancelled"]
    assert coupon["uses"] == len(redemptions) == expected
    with_it = {one["id"] for one in placed if code in one["codes"]}
    assert {one["order"] for one in redemptions} == with_it
    levels = deployment.get("/api/v1/inventory/levels", token)[1]["results"]
    assert [one["reserved"] for one in levels] == [len(placed)]
    for command in (("coupons", "check"), ("inventory", "check")):
        done = deployment.command(*command)
        assert done.returncode == 0, done.stdout
