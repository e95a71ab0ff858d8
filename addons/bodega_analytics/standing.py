"""Reports of how things stand: the catalogue, stock, imports, webhooks and payments.

These are no sums over time. Their owners count them when somebody asks, each in a fixed
number of queries; of an addon that is not there, null is told.
"""

from collections.abc import Iterable
from typing import Any

from bodega_analytics.models import Takings
from bodega_analytics.periods import Period
from bodega_analytics.ranking import names_of
from bodega_analytics.reading import sums
from bodega_products import api as products
from bodega_sdk import Money, addon_api

#: Addons that reports are about, besides products.
OTHERS = ("orders", "payments", "inventory", "imports", "webhooks")
_IMPORT = (
    "id", "filename", "status", "total_rows", "created", "updated", "errors", "created_at",
    "finished_at",
)  # fmt: skip
_WEBHOOKS = (
    "configured_webhooks", "enabled_webhooks", "total_events_sent", "failed_events",
    "waiting_events",
)  # fmt: skip


def stats(recent: int = 10) -> dict[str, Any]:
    """Return the figures of the catalogue, of imports and of webhooks."""
    total, active = products.counts()
    imports, webhooks = addon_api("imports"), addon_api("webhooks")
    counts = webhooks.counts() if webhooks else None
    return {
        "total_products": total,
        "active_products": active,
        "recent_imports": imports and [_import(one) for one in imports.recent(recent)],
        "imports": imports and imports.counts(),
        **{name: counts and getattr(counts, name) for name in _WEBHOOKS},
        "left_out": left_out(),
    }


def _import(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _IMPORT}


def left_out(of: Iterable[str] = OTHERS) -> list[str]:
    """Return the addons that are not there, so that what they know is left out."""
    return [name for name in of if addon_api(name) is None]


def stock_value() -> list[dict[str, Any]] | None:
    """Return what the stock is worth, by currency; None without inventory."""
    inventory = addon_api("inventory")
    if inventory is None:
        return None
    return [
        {
            "currency": one.price.currency, "items": one.items, "pieces": one.pieces,
            "price": str(one.price), "cost": str(one.cost), "without_cost": one.without_cost,
        }
        for one in inventory.worth()
    ]  # fmt: skip


def low_stock(limit: int) -> tuple[int, list[dict[str, Any]]] | None:
    """Return how many items are low, and those of which there is least; None as above."""
    inventory = addon_api("inventory")
    if inventory is None:
        return None
    number, found = inventory.low(limit)
    named = names_of(one.product for one in found)
    return number, [
        named[one.product] | {
            "variant": one.variant and str(one.variant), "available": one.available,
            "threshold": one.threshold,
        }
        for one in found
    ]  # fmt: skip


def takings(period: Period, currency: str | None = None) -> list[dict[str, Any]]:
    """Return what went through the providers of payments, by provider and currency."""
    keys = [Takings.provider, Takings.currency]
    more = () if currency is None else (Takings.currency == currency,)
    rows = sorted(sums(Takings, period.edges, keys, Takings.measures, *more))
    return [_taken(*row) for row in rows]


def _taken(provider: str, code: str, *numbers: int) -> dict[str, Any]:
    found = dict(zip(Takings.measures, numbers, strict=True))
    kept = found["captured"] - found["refunded"] - found["disputed"]
    shown = {name: found[name] for name in ("captured", "refunded", "disputed")} | {"kept": kept}
    return {
        "provider": provider, "currency": code, "captures": found["captures"],
        "refunds": found["given_back"], "disputes": found["disputes"],
        **{name: str(Money(number, code)) for name, number in shown.items()},
    }  # fmt: skip
