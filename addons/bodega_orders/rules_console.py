"""The console's page of the shop's rules: taxes and ways of shipping."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from bodega_orders import taxes
from bodega_orders.rules_models import ShippingMethod, TaxRate
from bodega_products import api as products
from bodega_sdk import ConsolePage, Money, Request
from bodega_sdk.console import Badge, Block, Facts, Heading, Notice, Table


def pages() -> list[ConsolePage]:
    """Return the page."""
    return [
        ConsolePage("orders/rules", "Taxes and shipping", "orders.configure", rules,
                    "What is added to prices where, and how things can be sent."),
    ]  # fmt: skip


def rules(request: Request) -> Iterator[Block]:
    """What counts now."""
    yield Facts((
        ("Prices contain their taxes", "yes" if taxes.included() else "no"),
        ("Set by", "/api/v1/tax-rates and /api/v1/shipping-methods"),
    ))  # fmt: skip
    yield Heading("Taxes")
    yield _rates(list(TaxRate.select().order_by(TaxRate.country, TaxRate.region, TaxRate.id)))
    yield Heading("Ways of shipping")
    order = (ShippingMethod.position, ShippingMethod.code)
    methods = list(ShippingMethod.select().order_by(*order))
    if not any(method.is_active for method in methods):
        yield Notice("There is no way of shipping that is active: sending is free.", "warning")
    yield _methods(methods)


def _rates(rates: list[TaxRate]) -> Table:
    names = products.categories_of(_categories(rates))
    columns = ("Country", "Region", "Category", "Tax", "Per cent", "On shipping")
    return Table(columns, [
        (rate.country or "everywhere", rate.region, _category(rate, names), rate.label,
         f"{rate.rate // 100}.{rate.rate % 100:02}", "yes" if rate.on_shipping else "no")
        for rate in rates
    ], empty="No taxes are added.")  # fmt: skip


def _categories(rates: Iterable[TaxRate]) -> list[UUID]:
    return [rate.category for rate in rates if rate.category is not None]


def _category(rate: TaxRate, names: dict[UUID, str]) -> str:
    return "all" if rate.category is None else names.get(rate.category, "one that is gone")


def _methods(methods: Iterable[ShippingMethod]) -> Table:
    columns = ("Code", "Name", "Countries", "Price", "Free from", "Grams", "Days", "State")
    return Table(columns, [
        (one.code, one.label, ", ".join(one.countries) or "everywhere",
         f"{one.price} {one.currency}", _free_from(one), _weights(one), one.days,
         Badge("active", "good") if one.is_active else Badge("not active", "plain"))
        for one in methods
    ], empty="No ways of shipping yet.")  # fmt: skip


def _free_from(method: ShippingMethod) -> str:
    free = method.free_from_minor
    return "" if free is None else f"{Money(free, method.currency)} {method.currency}"


def _weights(method: ShippingMethod) -> str:
    least, most = method.weight_from, method.weight_to
    if least is None and most is None:
        return "any"
    return f"{least or 0} to {'any' if most is None else most}"
