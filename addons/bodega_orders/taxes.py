"""The shop's own taxes: the most specific rate of a place is the one that counts."""

import unicodedata
from collections.abc import Iterable
from uuid import UUID

from bodega_orders import rounding
from bodega_orders.drafts import Destination, Draft, Tax
from bodega_orders.rules_models import TaxRate
from bodega_sdk import Money, setting
from bodega_sdk.reading import rows_of


def included() -> bool:
    """Whether the catalogue's prices, and those of shipping, contain their taxes."""
    return bool(setting("orders.prices_include_tax"))


def own(draft: Draft, net: dict[UUID | None, Money]) -> tuple[Tax, ...]:
    """Return the shop's taxes on a draft; one query.

    Args:
        net: by item, and of shipping by None, what is left after discounts.
    """
    rates = _rates(draft.destination)
    found = [
        _tax(rate, net[line.item], line.item)
        for line in draft.lines
        if (rate := rate_of(rates, draft.destination, line.categories)) is not None
    ]
    rate = rate_of(rates, draft.destination, ())
    if rate is not None and rate.on_shipping and net[None].minor:
        found.append(_tax(rate, net[None], None))
    return tuple(found)


def _rates(destination: Destination) -> list[TaxRate]:
    countries = {"", destination.country.upper()}
    return rows_of(TaxRate.select().where(TaxRate.country.in_(countries)).order_by(TaxRate.id))


def _tax(rate: TaxRate, amount: Money, item: UUID | None) -> Tax:
    reckon = rounding.tax_within if included() else rounding.tax_on_top
    return Tax(rate.label, reckon(amount, rate.rate), item, rate.rate)


def rate_of(
    rates: Iterable[TaxRate], destination: Destination, categories: tuple[UUID, ...]
) -> TaxRate | None:
    """Return the rate that counts; None when there is none.

    The place comes first: a region before its country before everywhere. Of one place, the
    nearest category comes before those above it, and any of them before none.

    Args:
        categories: of what is taxed, the nearest first; none for shipping.
    """
    near = {key: len(categories) - place for place, key in enumerate(categories)}
    best: tuple[int, int] = (-1, -1)
    found = None
    for rate in rates:
        place = _place(rate, destination)
        if place < 0 or (rate.category is not None and rate.category not in near):
            continue
        rank = (place, near.get(rate.category, 0))
        if rank > best:
            best, found = rank, rate
    return found


def _place(rate: TaxRate, destination: Destination) -> int:
    """Return how narrow a rate's place is: 2, 1 or 0; -1 when it is another one."""
    if not rate.country:
        return 0
    if rate.country != destination.country.upper():
        return -1
    if not rate.region:
        return 1
    return 2 if folded(rate.region) == folded(destination.region) else -1


def folded(region: str) -> str:
    """Return a region's name as it is compared: without case, accents' spelling and spaces."""
    return " ".join(unicodedata.normalize("NFKC", region).casefold().split())


def place_key(country: str, region: str, category: UUID | None) -> str:
    """Return what there may be one rate of."""
    return f"{country}/{folded(region)}/{category.hex if category else ''}"
