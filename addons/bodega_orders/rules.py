"""Setting the shop's rules: taxes and ways of shipping. Call these in a transaction."""

from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from bodega_orders.rules_models import ShippingMethod, TaxRate
from bodega_orders.taxes import place_key
from bodega_products import api as products
from bodega_sdk import Money, now, setting
from bodega_sdk.errors import Conflict, FieldError, invalid

_Row = TypeVar("_Row", TaxRate, ShippingMethod)
_AMOUNTS = {"price": "price_minor", "free_from": "free_from_minor"}


def set_rate(rate: TaxRate | None, data: dict[str, Any]) -> TaxRate:
    """Make a tax rate, or change one.

    Raises:
        InvalidInput: a region without a country, or no such category.
        Conflict: the place has a rate for this category already.
    """
    is_new, row = rate is None, rate or TaxRate(**data)
    for name, value in data.items():
        setattr(row, name, value)
    if row.region and not row.country:
        raise invalid("country", "A region needs its country.", row.country)
    if data.get("category") is not None:
        _refuse_unknown(data["category"])
    row.place_key = place_key(row.country, row.region, row.category)
    _refuse_second(row)
    return _saved(row, is_new=is_new)


def _refuse_unknown(category: UUID) -> None:
    if category not in products.categories_of([category]):
        raise invalid("category", "There is no category with this id.", str(category))


def _refuse_second(row: TaxRate) -> None:
    others = (TaxRate.place_key == row.place_key) & (TaxRate.id != row.id)
    there = TaxRate.get_or_none(others)
    if there is not None:
        message = f"The rate {there.id} is it; change that one."
        raise Conflict(
            "There is a rate of this place and category already.",
            [FieldError("country", message, row.country)],
            extra={"rate": str(there.id)},
        )


def set_method(method: ShippingMethod | None, data: dict[str, Any]) -> ShippingMethod:
    """Make a way of shipping, or change one.

    Raises:
        InvalidInput: an amount has more decimals than the currency, the lightest weight is
            above the heaviest, or the currency is changed without the amounts.
        Conflict: there is one with this code in this currency.
    """
    is_new, row = method is None, method or ShippingMethod()
    if is_new:
        data = {"currency": setting("products.currency")} | data
    _refuse_other_currency(row, data, is_new=is_new)
    for name, value in data.items():
        if name not in _AMOUNTS:
            setattr(row, name, value)
    row.countries = sorted(set(row.countries))
    for name in _AMOUNTS.keys() & data.keys():
        setattr(row, _AMOUNTS[name], _minor(name, data[name], row.currency))
    _refuse_odd_weights(row)
    _refuse_same_code(row)
    return _saved(row, is_new=is_new)


def _refuse_other_currency(row: ShippingMethod, data: dict[str, Any], *, is_new: bool) -> None:
    """Refuse to read amounts that stay as they are in another currency."""
    if is_new or data.get("currency", row.currency) == row.currency:
        return
    held = {name for name, column in _AMOUNTS.items() if getattr(row, column) is not None}
    if not held <= data.keys():
        message = "Send its amounts with it: they are in the currency that it has now."
        raise invalid("currency", message, data["currency"])


def _minor(name: str, amount: Decimal | None, currency: str) -> int | None:
    if amount is None:
        return None
    try:
        return Money.parse(amount, currency).minor
    except ValueError as error:
        raise invalid(name, f"{error}.", str(amount)) from None


def _refuse_odd_weights(row: ShippingMethod) -> None:
    least, most = row.weight_from, row.weight_to
    if least is not None and most is not None and least > most:
        raise invalid("weight_to", f"Must be at least weight_from, {least}.", most)


def _refuse_same_code(row: ShippingMethod) -> None:
    same = (ShippingMethod.code == row.code) & (ShippingMethod.currency == row.currency)
    if ShippingMethod.select().where(same, ShippingMethod.id != row.id).exists():
        message = f"There is a way of shipping with this code in {row.currency} already."
        raise Conflict(message, [FieldError("code", message, row.code)])


def _saved(row: _Row, *, is_new: bool) -> _Row:
    row.updated_at = now()
    row.save(force_insert=is_new)
    return row
