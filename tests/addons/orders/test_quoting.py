"""Quoting: what a purchase costs, and why."""

from typing import Any

from bodega_orders.drafting import draft_of
from bodega_orders.drafts import Destination
from bodega_orders.quoting import quote
from bodega_orders.rules_models import ShippingMethod, TaxRate
from bodega_orders.taxes import place_key

BERLIN = Destination("DE", "Berlin", "10115")


def tax(rate: int, country: str = "", region: str = "", category: Any = None, **more: Any) -> None:
    """Let a tax be added."""
    TaxRate.create(
        rate=rate, label=f"VAT {rate / 100:g} %", country=country, region=region,
        category=category, place_key=place_key(country, region, category), **more,
    )  # fmt: skip


def method(code: str, price: int, currency: str = "USD", **more: Any) -> None:
    """Offer a way to send."""
    ShippingMethod.create(
        code=code, label=code.title(), currency=currency, price_minor=price, **more
    )


def quoted(*items: Any, to: Destination = BERLIN, by: str = "", currency: str = "USD") -> Any:
    """Quote things."""
    return quote(draft_of(items, currency, None, "", to, (), by))


def test_a_quote_explains_its_total_entry_by_entry(goods: Any) -> None:
    lamp, cable = goods.make(price=1999), goods.make(price=333)
    tax(1900, "DE")
    method("standard", 490)
    found = quoted((lamp, None, 2), (cable, None, 3), by="standard")
    assert [(entry.kind, str(entry.amount)) for entry in found.entries] == [
        ("price", "39.98"), ("price", "9.99"), ("shipping", "4.90"),
        ("tax", "7.60"), ("tax", "1.90"), ("tax", "0.93"),
    ]  # fmt: skip
    assert (str(found.subtotal), str(found.tax), str(found.total)) == ("49.97", "10.43", "65.30")
    assert found.problems == ()
