"""The terms of a coupon: from what is sent to columns, and whether they make sense together."""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from bodega_coupons.models import FIXED, PERCENTAGE, Coupon
from bodega_products import api as products
from bodega_sdk import Money
from bodega_sdk.errors import InvalidInput, invalid

#: Member → column, where they are the same but for their names.
RENAMED = {"limit": "most_uses", "limit_per_customer": "most_uses_each"}
#: Member → column, of amounts in the coupon's currency.
AMOUNTS = {
    "amount": "amount_minor",
    "minimum_subtotal": "minimum_minor",
    "maximum_discount": "maximum_minor",
}
_SAME = (
    "kind", "currency", "valid_from", "valid_until", "active", "categories", "products",
    "first_order_only", "combinable", "description",
)  # fmt: skip
#: Kind → the member that says how much, and those that it has no use for.
_NEEDS = {PERCENTAGE: "percent", FIXED: "amount"}
_USELESS = {
    PERCENTAGE: ("amount",),
    FIXED: ("percent", "maximum_discount"),
    "free_shipping": ("percent", "amount", "maximum_discount"),
}


def members_of(coupon: Coupon) -> dict[str, Any]:
    """Return a coupon's terms as they would be sent."""
    found: dict[str, Any] = {name: getattr(coupon, name) for name in _SAME}
    found |= {name: getattr(coupon, column) for name, column in RENAMED.items()}
    found["currency"] = coupon.currency or None
    found["percent"] = None if coupon.rate is None else Decimal(coupon.rate).scaleb(-2)
    for name, column in AMOUNTS.items():
        minor = getattr(coupon, column)
        found[name] = None if minor is None else Decimal(str(coupon.money(minor)))
    return found


def columns_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of terms that were sent, all of them.

    Raises:
        InvalidInput: they make no sense together, naming the member that is wrong.
    """
    _check_kind(members)
    _check_dates(members)
    columns = {name: members[name] for name in _SAME} | {"currency": members["currency"] or ""}
    columns |= {column: members[name] for name, column in RENAMED.items()}
    columns["rate"] = _rate(members["percent"])
    for name, column in AMOUNTS.items():
        columns[column] = _minor(name, members[name], members["currency"])
    for name in ("valid_from", "valid_until"):
        columns[name] = members[name] and members[name].astimezone(UTC)
    for name in ("categories", "products"):
        columns[name] = sorted({str(key) for key in members[name]})
    return columns


def _check_kind(members: Mapping[str, Any]) -> None:
    kind = members["kind"]
    needed = _NEEDS.get(kind)
    if needed and members[needed] is None:
        raise invalid(needed, f"A coupon of kind {kind!r} needs it.")
    for name in _USELESS[kind]:
        if members[name] is not None:
            message = f"A coupon of kind {kind!r} has none; send null or leave it out."
            raise invalid(name, message, str(members[name]))


def _check_dates(members: Mapping[str, Any]) -> None:
    begins, ends = members["valid_from"], members["valid_until"]
    if begins is not None and ends is not None and ends <= begins:
        raise invalid("valid_until", "Must be after 'valid_from'.", ends.isoformat())


def _rate(percent: Decimal | None) -> int | None:
    if percent is None:
        return None
    rate = percent.scaleb(2)
    if not 0 < percent <= 100 or rate != rate.to_integral_value():
        message = "Must be more than 0 and at most 100, with two decimals at most."
        raise invalid("percent", message, str(percent))
    return int(rate)


def _minor(name: str, amount: Decimal | None, currency: str | None) -> int | None:
    if amount is None:
        return None
    if not currency:
        raise invalid(name, "Say with 'currency' in which one it is.", str(amount))
    try:
        minor = Money.parse(amount, currency).minor
    except ValueError as error:
        raise invalid(name, f"{str(error)[:1].upper()}{str(error)[1:]}.", str(amount)) from None
    if minor <= 0:
        raise invalid(name, "Must be more than zero.", str(amount))
    return minor


def refuse_unknown(members: Mapping[str, Any]) -> None:
    """Refuse products and categories that are not there.

    Raises:
        InvalidInput: naming the first of them.
    """
    there = products.existing(members.get("products", ()))
    for place, key in enumerate(members.get("products", ())):
        if key not in there:
            raise _unknown("product", f"products.{place}", key)
    known = products.categories_of(members.get("categories", ()))
    for place, key in enumerate(members.get("categories", ())):
        if key not in known:
            raise _unknown("category", f"categories.{place}", key)


def _unknown(noun: str, field: str, key: Any) -> InvalidInput:
    return invalid(field, f"There is no {noun} with this id.", str(key))
