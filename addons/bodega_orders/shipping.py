"""The shop's own ways to send, and which of them can send a draft."""

from collections.abc import Iterable
from dataclasses import dataclass

from bodega_orders.drafts import Discount, Draft, ShippingOption
from bodega_orders.rules_models import ShippingMethod
from bodega_sdk import Money
from bodega_sdk.reading import rows_of


@dataclass(frozen=True, slots=True)
class Ways:
    """What the shop itself says of sending a draft.

    Args:
        any: whether the shop has any way to send at all.
        options: those that can send it.
    """

    any: bool
    options: tuple[ShippingOption, ...]


def own(draft: Draft, discounts: Iterable[Discount]) -> Ways:
    """Return the shop's ways to send a draft; one query."""
    query = ShippingMethod.select().where(ShippingMethod.is_active)
    rows = rows_of(query.order_by(ShippingMethod.position, ShippingMethod.code))
    worth = draft.subtotal.minor - sum(
        amount.minor for one in discounts for amount in one.amounts.values()
    )
    fitting = tuple(_option(row, worth) for row in rows if _fits(row, draft))
    return Ways(bool(rows), fitting)


def has_to_be_sent(draft: Draft) -> bool:
    """Whether anything in a draft is not digital."""
    return any(not line.digital for line in draft.lines)


def _fits(method: ShippingMethod, draft: Draft) -> bool:
    weight = sum(line.weight * line.quantity for line in draft.lines if not line.digital)
    least, most = method.weight_from, method.weight_to
    country = draft.destination.country.upper()
    return bool(
        method.currency == draft.currency
        and (not method.countries or country in method.countries)
        and (least is None or least <= weight)
        and (most is None or weight <= most)
    )


def _option(method: ShippingMethod, worth: int) -> ShippingOption:
    threshold = method.free_from_minor
    free = threshold is not None and worth >= threshold
    price = Money(0, method.currency) if free else method.price
    return ShippingOption(method.code, method.label, price, method.days)
