"""Providers of other addons, and providers that do not answer."""

from datetime import timedelta
from typing import Any

import pytest

from bodega_payments import choosing, reconciling
from bodega_payments.models import Call, Payment
from bodega_payments.providers import Misconfigured, ProviderDown
from bodega_payments.sandbox.provider import Sandbox
from bodega_sdk.runtime import bound

PAYMENTS = "/api/v1/payments"
POINTS = """
from bodega_payments.sandbox.provider import connect


def _points():
    found = connect()
    found.name = "points"
    return found


@hookimpl
def payment_providers(makers):
    return {**makers, "points": _points}
"""


def test_another_addon_adds_a_provider_and_payments_remember_theirs(
    till: Any, vera: Any, addon: Any, shop: Any, set_to: Any
) -> None:
    first = till.pay(vera, till.order(vera))
    addon("points", POINTS, ("payments",))
    with bound(shop.current):
        assert {"points", "sandbox", "stripe"} == choosing.names()
        set_to("provider", "points")
        second = till.pay(vera, till.order(vera))
    assert (first["provider"], second["provider"]) == ("sandbox", "points")
    assert second["status"] == "succeeded"


def test_a_provider_that_nobody_knows_or_that_has_no_keys_takes_no_payment(
    till: Any, vera: Any, set_to: Any
) -> None:
    order = till.order(vera)
    for name in ("nobody", "stripe"):
        set_to("provider", name)
        with pytest.raises(Misconfigured):
            choosing.current()
        problem = till.pay(vera, order, expect=503)
        assert problem["type"].endswith("provider-unavailable")
    assert Payment.select().count() == 0


@pytest.mark.parametrize("what", ["create_intent", "confirm", "retrieve_intent"])
def test_a_provider_that_does_not_answer_is_asked_again_with_the_same_key(
    till: Any, vera: Any, monkeypatch: Any, what: str, told: Any
) -> None:
    order, real, keys = till.order(vera), getattr(Sandbox, what), []

    def silent(self: Any, *args: Any) -> Any:
        # It did it, and the answer is lost.
        real(self, *args)
        keys.append(args[-1])
        raise ProviderDown("no answer within 10 s")

    payments = Payment.select()
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, what, silent)
        if what == "retrieve_intent":
            paid = till.pay(vera, order)
            vera.client.post(f"{PAYMENTS}/{paid['id']}/confirm", {}).expect(503)
        else:
            problem = till.pay(vera, order, expect=503)
            till.pay(vera, order, expect=503)
            assert problem["payment"] == str(payments.get().id)
            assert keys[0] == keys[1]
            assert Call.select().where(Call.ended_at.is_null()).count() >= 1
            assert reconciling.reconcile(timedelta(0)).silent > 0
    reconciling.reconcile(timedelta(0))
    assert payments.get().status == "succeeded"
    assert told(order).count("order.paid") == payments.count() == 1
