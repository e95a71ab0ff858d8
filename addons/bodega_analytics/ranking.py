"""Reports of products and categories: which sell best, and which are looked at most."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import peewee

from bodega_analytics.models import Interest, ProductSales
from bodega_analytics.periods import Period
from bodega_analytics.reading import ranked, sums, total
from bodega_analytics.selling import amounts
from bodega_products import api as products
from bodega_sdk.bulk import among

#: What products can be ranked by.
BEST, POPULAR = ("net", "gross", "units", "orders"), ("views", "carted", "orders", "units")
_SHOWN = (
    "orders", "units", "goods", "discounts", "gross", "cancelled_units", "cancelled",
    "returned_units", "returns",
)  # fmt: skip


def top_products(period: Period, currency: str, by: str, limit: int) -> list[dict[str, Any]]:
    """Return the products that sold best in a currency; see :data:`BEST`."""
    rows = ranked(
        ProductSales, period.edges, ProductSales.product, _rank(by), _SHOWN, limit,
        ProductSales.currency == currency,
    )  # fmt: skip
    named = names_of(key for key, *_ in rows)
    return [named[key] | _sold(currency, numbers) for key, *numbers in rows]


def _rank(by: str) -> Any:
    if by != "net":
        return total(ProductSales, by)
    gone = total(ProductSales, "cancelled") + total(ProductSales, "returns")
    return total(ProductSales, "gross") - gone


def _sold(currency: str, numbers: Sequence[int]) -> dict[str, Any]:
    found = dict(zip(_SHOWN, numbers, strict=True))
    net = found["gross"] - found["cancelled"] - found["returns"]
    return {"currency": currency} | amounts(currency, found | {"net": net})


def names_of(keys: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return what products are called, by id; null where they are gone."""
    wanted = list(keys)
    known = products.products_of(wanted)
    return {key: _name(key, known.get(key)) for key in wanted}


def _name(key: UUID, found: Any) -> dict[str, Any]:
    return {
        "product": str(key), "name": found and found.name, "sku": found and found.sku
    }  # fmt: skip


def top_categories(period: Period, currency: str, by: str, limit: int) -> list[dict[str, Any]]:
    """Return the categories whose products sold best, as the catalogue is now."""
    catalogue = products.with_categories()
    joined = ProductSales.select().join(
        catalogue, peewee.JOIN.LEFT_OUTER, on=(catalogue.c.id == ProductSales.product)
    )
    rows = ranked(
        ProductSales, period.edges, catalogue.c.category, _rank(by), _SHOWN, limit,
        ProductSales.currency == currency, source=joined,
    )  # fmt: skip
    found = [(_uuid(key), numbers) for key, *numbers in rows]
    names = products.categories_of(key for key, _ in found if key is not None)
    return [
        {"category": key and str(key), "name": names.get(key) if key else None}
        | _sold(currency, numbers)
        for key, numbers in found
    ]


def _uuid(key: Any) -> UUID | None:
    # A column of a joined query comes as the driver gives it.
    return key if key is None or isinstance(key, UUID) else UUID(str(key))


def popular(period: Period, by: str, limit: int) -> list[dict[str, Any]]:
    """Return the products that most was done with: see :data:`POPULAR`.

    Pieces and orders of all currencies count.
    """
    interest = by in Interest.measures
    model: Any = Interest if interest else ProductSales
    rows = ranked(model, period.edges, model.product, total(model, by), (by,), limit)
    keys = [key for key, _ in rows]
    seen = _sums(Interest, Interest.measures, period, keys)
    sold = _sums(ProductSales, ("orders", "units"), period, keys)
    named = names_of(keys)
    return [named[key] | seen[key] | sold[key] for key in keys]


def _sums(
    model: Any, measures: Sequence[str], period: Period, keys: Sequence[UUID]
) -> Mapping[UUID, dict[str, int]]:
    found = {key: dict.fromkeys(measures, 0) for key in keys}
    mine = among(model.product, keys)
    for key, *numbers in sums(model, period.edges, [model.product], measures, mine):
        found[key] = dict(zip(measures, numbers, strict=True))
    return found


def funnel(period: Period, product: UUID | None = None) -> list[dict[str, Any]]:
    """Return how often a product was looked at, put into a cart, ordered and paid for.

    Each counts products: one in a view, in a cart, in an order, in a paid order. Nobody is
    followed from one to the next, so more can be ordered than was looked at.
    """
    seen, sold = (
        sums(model, period.edges, [], names, *_only(model, product))[0]
        for model, names in (
            (Interest, Interest.measures), (ProductSales, ("orders", "paid_orders"))
        )
    )  # fmt: skip
    stages = dict(zip(("viewed", "carted", "ordered", "paid"), (*seen, *sold), strict=True))
    counts = list(stages.values())
    return [
        {"stage": name, "count": count, "of_previous": share(count, before),
         "of_first": share(count, counts[0])}
        for (name, count), before in zip(stages.items(), [0, *counts], strict=False)
    ]  # fmt: skip


def _only(model: Any, product: UUID | None) -> tuple[Any, ...]:
    return () if product is None else (model.product == product,)


def share(part: int, whole: int) -> str | None:
    """Return a share in per cent with two decimals; None of nothing."""
    if whole <= 0:
        return None
    hundredths = (part * 20_000 + whole) // (2 * whole)
    return f"{hundredths // 100}.{hundredths % 100:02}"
