"""Quoting: what a purchase costs, why, and what addons may make of it."""

import importlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega_orders import rounding
from bodega_orders.drafting import draft_of, drafted
from bodega_orders.drafts import (
    Destination,
    Discount,
    Discounts,
    DraftLine,
    RefusedCode,
    ShippingOption,
    Tax,
)
from bodega_orders.quoting import quote
from bodega_orders.rules_models import ShippingMethod, TaxRate
from bodega_orders.taxes import place_key
from bodega_sdk import Money, uuid7
from bodega_sdk.errors import HookFailed, InvalidInput
from bodega_sdk.runtime import bound

BERLIN = Destination("DE", "Berlin", "10115")
PLUGIN = """
from bodega_sdk import Money

prices = discounts = shipping = taxes = None


@hookimpl
def quote_line_prices(draft):
    return prices(draft) if prices else draft


@hookimpl
def quote_discounts(discounts, draft):
    made = globals()["discounts"]
    return made(discounts, draft) if made else discounts


@hookimpl
def quote_shipping(options, draft, discounts):
    return shipping(options, draft) if shipping else options


@hookimpl
def quote_taxes(taxes, draft, discounts, shipping):
    made = globals()["taxes"]
    return made(taxes, draft, shipping) if made else taxes
"""


@pytest.fixture
def sales(addon: Any, shop: Any) -> Any:
    """An addon that says what a test lets it say."""
    addon("sales", PLUGIN, ("orders",))
    with bound(shop.current):
        yield importlib.import_module("bodega_test_sales.plugin")


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


def quoted(*items: Any, to: Destination = BERLIN, by: str = "", codes: Any = ()) -> Any:
    """Quote things."""
    return quote(draft_of(items, "USD", None, "", to, codes, by))


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
    assert found.entries[0].label == "2 × Product 1"


def test_taxes_within_prices_add_nothing_and_are_told(goods: Any, set_to: Any) -> None:
    set_to("prices_include_tax", True)
    tax(1900, "DE")
    found = quoted((goods.make(price=1190, is_digital=True), None, 1))
    assert (str(found.total), str(found.tax), found.prices_include_tax) == ("11.90", "1.90", True)
    (entry,) = [entry for entry in found.entries if entry.kind == "tax"]
    assert (str(entry.amount), str(entry.included)) == ("0.00", "1.90")


def test_a_draft_of_the_same_thing_twice_has_one_line(goods: Any, set_to: Any) -> None:
    lamp, shirt, other = goods.make(), goods.make("S"), goods.make()
    found = quoted((lamp, None, 2), (other, None, 1), (lamp, None, 3))
    assert sorted(line.line.quantity for line in found.lines) == [1, 5]
    set_to("cart_lines", 1)
    for items, field in (
        ([(lamp, None, 1), (other, None, 1)], "items"),
        ([(shirt, None, 1)], "items.0.variant"),
        ([(lamp, None, 0)], "items.0.quantity"),
        ([(uuid7(), None, 1)], "items.0.product"),
    ):
        with pytest.raises(InvalidInput) as refused:
            quoted(*items)
        assert refused.value.errors[0].field == field


def test_addons_set_prices_give_discounts_and_change_shipping_and_taxes(
    goods: Any, sales: Any
) -> None:
    lamp = goods.make(price=1000)
    method("standard", 500)
    tax(1000)
    sales.prices = lambda draft: replace(
        draft, lines=tuple(replace(one, unit_price=one.unit_price * 2) for one in draft.lines)
    )
    off = {lamp: Money(400, "USD")}
    sales.discounts = lambda told, draft: Discounts(
        (*told.given, Discount("sales", "7", "4 off", off), Discount("sales", "8", "Freight",
         free_shipping=True)), (RefusedCode("OLD", "It has ended."),), ("NEW",),
    )  # fmt: skip
    sales.shipping = lambda options, draft: (
        *options, ShippingOption("drone", "Drone", Money(900, "USD"))
    )  # fmt: skip
    sales.taxes = lambda taxes, draft, shipping: (
        *taxes, Tax("Eco fee", Money(5, "USD"), lamp, 0)
    )  # fmt: skip
    found = quoted((lamp, None, 3), by="drone", codes=("new", "old", "who"))
    assert (str(found.subtotal), str(found.discount), str(found.shipping)) == (
        "60.00", "13.00", "9.00",
    )  # fmt: skip
    assert (str(found.tax), str(found.total)) == ("5.65", "61.65")
    assert [option.code for option in found.options] == ["standard", "drone"]
    assert [(one.code, one.reason) for one in found.refused] == [
        ("OLD", "It has ended."), ("WHO", "There is no such code.")
    ]  # fmt: skip
    assert [(e.source, e.reference) for e in found.entries if e.kind == "discount"] == [
        ("sales", "7"), ("sales", "8")
    ]  # fmt: skip
    assert len(found.problems) == 2


def test_discounts_beyond_what_a_line_costs_are_cut_the_first_come_first(
    goods: Any, sales: Any
) -> None:
    lamp = goods.make(price=1000, is_digital=True)

    def give(*amounts: int) -> Any:
        given = tuple(
            Discount("sales", str(n), f"Off {n}", {lamp: Money(minor, "USD")})
            for n, minor in enumerate(amounts)
        )
        sales.discounts = lambda told, draft: Discounts(given)
        return quoted((lamp, None, 1))

    found = give(700, 500, 100)
    assert [str(e.amount) for e in found.entries] == ["10.00", "-7.00", "-3.00"]
    assert [one.reference for one in found.discounts] == ["0", "1"]
    assert str(found.total) == "0.00"


def test_what_an_addon_cannot_mean_fails_the_quote_and_names_the_hook(
    goods: Any, sales: Any
) -> None:
    lamp = goods.make()
    method("standard", 500)
    usd, eur, less = Money(1, "USD"), Money(1, "EUR"), Money(-1, "USD")

    def line_of(draft: Any, price: Money) -> Any:
        return replace(draft, lines=tuple(replace(one, unit_price=price) for one in draft.lines))

    def discount(amounts: Any) -> Any:
        return lambda told, draft: Discounts((Discount("sales", "1", "x", amounts),))

    def option(code: str, price: Money) -> Any:
        return lambda options, draft: (*options, ShippingOption(code, "x", price))

    def taxed(amount: Money, item: Any) -> Any:
        return lambda taxes, draft, shipping: (Tax("x", amount, item, 1),)

    for name, says in (
        ("prices", lambda draft: line_of(draft, eur)),
        ("prices", lambda draft: line_of(draft, less)),
        ("prices", lambda draft: replace(draft, lines=())),
        ("prices", lambda draft: replace(draft, lines=draft.lines * 2)),
        ("discounts", discount({lamp: eur})),
        ("discounts", discount({lamp: less})),
        ("discounts", discount({uuid7(): usd})),
        ("shipping", option("x", eur)),
        ("shipping", option("x", less)),
        ("shipping", option("standard", usd)),
        ("shipping", option("", usd)),
        ("taxes", taxed(eur, lamp)),
        ("taxes", taxed(less, lamp)),
        ("taxes", taxed(usd, uuid7())),
    ):
        setattr(sales, name, says)
        with pytest.raises(HookFailed) as failed:
            quoted((lamp, None, 1), by="standard")
        assert name in failed.value.hook
        setattr(sales, name, None)
    assert quoted((lamp, None, 1), by="standard").problems == ()


def test_what_is_more_than_can_be_written_down_cannot_be_ordered(goods: Any) -> None:
    gold = goods.make(price=10**14, is_digital=True)
    assert quoted((gold, None, 10)).problems == ()
    assert "more than" in quoted((gold, None, 11)).problems[0]


# Whatever is bought, in whichever currency, entries add up to the total.

LINES = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(1, 999), st.booleans()), min_size=1, max_size=5
)
OFF = st.lists(st.tuples(st.lists(st.integers(0, 10**8), max_size=5), st.booleans()), max_size=3)
DRAFTS = st.tuples(
    st.sampled_from(["JPY", "USD", "KWD"]), LINES, OFF, st.integers(0, 3500), st.booleans(),
    st.integers(0, 10**5),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_entries_of_every_quote_add_up_to_its_total(sales: Any, set_to: Any) -> None:
    for included in (False, True):
        set_to("prices_include_tax", included)
        _add_up(sales)


def _add_up(sales: Any) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(DRAFTS)
    def check(drawn: Any) -> None:
        currency, lines, off, rate, on_shipping, price = drawn
        TaxRate.delete().execute()
        ShippingMethod.delete().execute()
        tax(rate, on_shipping=on_shipping)
        method("standard", price, currency)
        made = [_line(number, *one, currency) for number, one in enumerate(lines)]
        sales.discounts = lambda told, draft: Discounts(tuple(_discounts(off, draft)))
        found = quote(drafted(made, currency, None, "", BERLIN, (), "standard"))
        _check_sums(found)
        _check_taxes(found, rate)

    check()


def _line(number: int, price: int, quantity: int, digital: bool, currency: str) -> DraftLine:
    return DraftLine(
        uuid7(), uuid7(), None, f"S-{number}", "Lamp", {}, quantity, Money(price, currency),
        digital=digital,
    )  # fmt: skip


def _discounts(off: Any, draft: Any) -> Any:
    for number, (amounts, free) in enumerate(off):
        items = zip(draft.lines, amounts, strict=False)
        told = {line.item: Money(minor, draft.currency) for line, minor in items}
        yield Discount("sales", str(number), f"Off {number}", told, free)


def _check_sums(found: Any) -> None:
    by = dict.fromkeys(("price", "discount", "shipping", "tax"), 0)
    for entry in found.entries:
        assert entry.amount.currency == found.draft.currency
        by[entry.kind] += entry.amount.minor
    included = found.prices_include_tax
    assert sum(by.values()) == found.total.minor >= 0
    assert (by["price"], -by["discount"]) == (found.subtotal.minor, found.discount.minor)
    assert by["shipping"] == found.shipping.minor
    assert by["tax"] == (0 if included else found.tax.minor)
    within = sum(entry.included.minor for entry in found.entries if entry.included)
    assert within == (found.tax.minor if included else 0)
    whole = [entry.amount.minor for entry in found.entries if entry.item is None]
    assert sum(one.total.minor for one in found.lines) + sum(whole) == found.total.minor
    for one in found.lines:
        assert 0 <= one.discount.minor <= one.line.subtotal.minor


def _check_taxes(found: Any, rate: int) -> None:
    """Each line's tax is less than half a minor unit away from the exact one, or just that."""
    base = 10_000 + (rate if found.prices_include_tax else 0)
    for one in found.lines:
        net = one.line.subtotal.minor - one.discount.minor
        off = 2 * (one.tax.minor * base - net * rate)
        assert -base < off <= base


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_the_parts_of_a_split_add_up_and_are_within_a_unit_of_their_share(
    whole: int, weights: list[int]
) -> None:
    parts = [part.minor for part in rounding.split(Money(whole, "USD"), weights)]
    assert sum(parts) == whole
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * total - whole * weight) < total or not total


def test_half_a_unit_is_rounded_up() -> None:
    for net, rate, within, top in (
        (50, 100, 0, 1),
        (49, 100, 0, 0),
        (150, 100, 1, 2),
        (0, 1, 0, 0),
    ):
        assert rounding.tax_on_top(Money(net, "USD"), rate).minor == top
        assert rounding.tax_within(Money(net, "USD"), rate).minor == within
    assert rounding.split(Money(0, "USD"), ()) == ()
    with pytest.raises(ValueError, match="among nobody"):
        rounding.split(Money(1, "USD"), ())
