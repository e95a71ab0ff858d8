"""The routes of taxes and ways of shipping: everybody reads them, staff sets them."""

from typing import Any

from bodega_orders import rules
from bodega_orders.rules_models import ShippingMethod, TaxRate
from bodega_orders.rules_schemas import ShippingMethodSchema, TaxRateSchema
from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request

CONFIGURE = "orders.configure"


class TaxRates(Collection):
    """Taxes of places."""

    model, schema, noun = TaxRate, TaxRateSchema, "tax rate"
    read, write, cached = PUBLIC, CONFIGURE, True
    filters = (
        Filter(Parameter("country", str, "Only of this country, as ISO 3166-1 writes it."),
               lambda value: TaxRate.country == value),
    )  # fmt: skip

    def create(self, request: Request, data: dict[str, Any]) -> TaxRate:
        """Make a rate."""
        return rules.set_rate(None, data)

    def change(self, request: Request, row: TaxRate, data: dict[str, Any]) -> TaxRate:
        """Change a rate."""
        return rules.set_rate(row, data)


class ShippingMethods(Collection):
    """Ways of shipping; those that are not active are seen by who may set them."""

    model, schema, noun = ShippingMethod, ShippingMethodSchema, "shipping method"
    read, write, cached = PUBLIC, CONFIGURE, True
    filters = (
        Filter(Parameter("currency", str, "Only with prices in this currency."),
               lambda value: ShippingMethod.currency == value),
    )  # fmt: skip

    def select(self, request: Request) -> Any:
        """Leave out what is not active, but for who may set it."""
        found = super().select(request)
        if request.identity.may(CONFIGURE):
            return found
        return found.where(ShippingMethod.is_active)

    def create(self, request: Request, data: dict[str, Any]) -> ShippingMethod:
        """Make a way of shipping."""
        return rules.set_method(None, data)

    def change(self, request: Request, row: ShippingMethod, data: dict[str, Any]) -> ShippingMethod:
        """Change a way of shipping."""
        return rules.set_method(row, data)
