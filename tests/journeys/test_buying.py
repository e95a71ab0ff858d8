"""Buying, as a customer does and the shop's people see it: real processes, real HTTP."""

from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ADA = {"email": "ada@example.com", "password": "a long password"}
ADDRESS = {"name": "Ada", "line1": "Lange Straße 1", "city": "Berlin", "postal_code": "10117",
           "country": "DE"}  # fmt: skip
#: What the staff sets up before anybody buys.
SHOP: tuple[tuple[str, dict[str, Any]], ...] = (
    ("products", {"name": "Lamp", "sku": "L-1", "price": "20.00"}),
    ("users", ADA),
    ("tax-rates", {"country": "DE", "rate": 1900, "label": "VAT 19 %"}),
    ("shipping-methods", {"code": "post", "label": "Post", "price": "4.90", "currency": "USD"}),
    ("coupons", {"code": "Welcome", "kind": "percentage", "percent": "10",
                 "limit_per_customer": 1}),
)  # fmt: skip


@dataclass
class Caller:
    """Somebody who calls the shop."""

    deployment: Any
    token: str = ""

    def call(
        self, method: str, path: str, body: Any = None, expect: int = 200, **headers: str
    ) -> Any:
        """Call an address; return what is answered."""
        status, told, _ = self.deployment.call(
            method, f"/api/v1/{path}", body, self.token, **headers
        )  # fmt: skip
        assert status == expect, (method, path, status, told)
        return told


def opened(deployment: Any) -> tuple[Caller, str]:
    """Start a shop that sells ten lamps; return its staff and the lamp's id."""
    deployment.up()
    staff = Caller(deployment, deployment.log_in())
    made = {path: staff.call("POST", path, body, 201) for path, body in SHOP}
    assert deployment.command("inventory", "receive", "L-1", "10").returncode == 0
    return staff, str(made["products"]["id"])


def stock(staff: Caller) -> tuple[int, int]:
    """What is on hand, and reserved."""
    (level,) = staff.call("GET", "inventory/levels")["results"]
    return level["on_hand"], level["reserved"]


def test_from_a_guest_s_cart_to_a_return_that_is_refunded(deployment: Any) -> None:
    staff, lamp = opened(deployment)

    # A guest fills a cart, and takes it along when they log in.
    guest = Caller(deployment)
    cart = guest.call("POST", "carts", {"codes": ["welcome"]}, 201)
    token = {"Cart-Token": cart["token"]}
    one = {"product": lamp, "quantity": 3}
    filled = guest.call("POST", f"carts/{cart['id']}/items", one, 201, **token)
    assert (filled["quote"]["subtotal"], filled["quote"]["discount"]) == ("60.00", "6.00")
    guest.call("GET", f"carts/{cart['id']}", expect=404)
    ada = Caller(deployment, guest.call("POST", "auth/login", ADA)["access"])
    mine = ada.call("GET", "carts/current", **token)
    assert [item["quantity"] for item in mine["items"]] == [3]
    assert mine["merged"]["taken"] == 1

    # What it costs is explained before it is ordered, and what was seen is what is paid.
    change = {"codes": ["welcome"], "shipping_method": "post",
              "destination": {"country": "DE", "postal_code": "10117"}}  # fmt: skip
    quote = ada.call("PATCH", f"carts/{mine['id']}", change)["quote"]
    sums = {name: quote[name] for name in ("subtotal", "discount", "shipping", "tax", "total")}
    # 19 % of 54.00 and of 4.90.
    assert sums == {"subtotal": "60.00", "discount": "6.00", "shipping": "4.90",
                    "tax": "11.19", "total": "70.09"}  # fmt: skip
    wanted = {"cart": mine["id"], "shipping_address": ADDRESS}
    ada.call("POST", "orders", wanted | {"expected_total": "70.00"}, 409)
    key = {"Idempotency-Key": "checkout"}
    order = ada.call("POST", "orders", wanted | {"expected_total": "70.09"}, 201, **key)
    again = ada.call("POST", "orders", wanted | {"expected_total": "70.09"}, 201, **key)
    assert again["id"] == order["id"]
    assert (order["status"], order["total"]) == ("pending", "70.09")
    assert stock(staff) == (10, 3)
    assert staff.call("GET", "coupons/welcome")["uses"] == 1

    # It is paid, sent, and arrives.
    path = f"orders/{order['id']}"
    pay = {"order": order["id"], "payment_method": "pm_card_visa"}
    payment = ada.call("POST", "payments", pay, 201)
    assert (payment["status"], payment["captured"]) == ("succeeded", "70.09")
    paid = ada.call("GET", path)
    assert (paid["status"], paid["payment_status"]) == ("confirmed", "paid")
    assert stock(staff) == (7, 0)
    ada.call("POST", f"{path}/ship", {}, 403)
    staff.call("POST", f"{path}/process")
    staff.call("POST", f"{path}/ship", {"tracking_number": "T-1", "carrier": "Post"})
    assert staff.call("POST", f"{path}/deliver")["status"] == "delivered"
    ada.call("POST", f"{path}/cancel", {}, 409)

    # One of the three comes back, and its money goes back.
    back = {"lines": [{"line": paid["lines"][0]["id"], "quantity": 1}], "reason": "Too bright"}
    asked = ada.call("POST", f"{path}/returns", back, 201)
    staff.call("POST", f"orders/returns/{asked['id']}/approve", {"answer": "Send it back."})
    arrived = staff.call("POST", f"orders/returns/{asked['id']}/receive", {})
    assert (arrived["status"], stock(staff)) == ("received", (8, 0))
    refund = {"amount": arrived["amount"], "reason": "requested_by_customer"}
    staff.call("POST", f"payments/{payment['id']}/refunds", refund, 201)
    ended = ada.call("GET", path)
    assert ended["payment_status"] == "partially_refunded"
    assert (ended["captured"], ended["refunded"]) == ("70.09", arrived["amount"])
    check_the_end(deployment, staff, ada, path)


def check_the_end(deployment: Any, staff: Caller, ada: Caller, path: str) -> None:
    """Check what is left: the history, the customer's news, the coupon, and the books."""
    history = ada.call("GET", f"{path}/history")["results"]
    statuses = {one["status"] for one in history}
    assert {"pending", "confirmed", "processing", "shipped", "delivered"} <= statuses
    deployment.wait_until(lambda: ada.call("GET", "notifications")["count"] >= 3)
    # The coupon is for one order of each customer.
    cart = ada.call("GET", "carts/current")
    assert cart["items"] == []
    lamp = ada.call("GET", path)["lines"][0]["product"]
    ada.call("POST", f"carts/{cart['id']}/items", {"product": lamp}, 201)
    refused = ada.call("PATCH", f"carts/{cart['id']}", {"codes": ["WELCOME"]})["quote"]
    told = [{"code": "WELCOME", "reason": "Welcome can be used once by each customer."}]
    assert refused["refused_codes"] == told
    for command in (("coupons", "check"), ("inventory", "check")):
        done = deployment.command(*command)
        assert done.returncode == 0, done.stdout
