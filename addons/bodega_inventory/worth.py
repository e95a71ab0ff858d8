"""What the stock is worth, and what of it is low: read from the levels when somebody asks."""

from dataclasses import dataclass
from uuid import UUID

import peewee

from bodega_inventory import figures
from bodega_inventory.models import Level
from bodega_products import api as products
from bodega_sdk import Money


@dataclass(frozen=True, slots=True)
class Worth:
    """What lies on the shelf, of all that is priced in one currency.

    Args:
        items: products and variants of which there is something.
        pieces: of these.
        price: at what they are sold for.
        cost: at what the shop paid, where that is written down.
        without_cost: pieces where it is not.
    """

    items: int
    pieces: int
    price: Money
    cost: Money
    without_cost: int


@dataclass(frozen=True, slots=True)
class Low:
    """An item that is low.

    Args:
        threshold: pieces at which it is.
    """

    product: UUID
    variant: UUID | None
    available: int
    threshold: int


def worth() -> list[Worth]:
    """Return what the stock is worth, by currency, in one query."""
    priced = products.with_prices()
    there = ~Level.retired & (Level.on_hand > 0)
    unknown = peewee.Case(None, [(priced.c.cost.is_null(), Level.on_hand)], 0)
    sums = [
        peewee.fn.SUM(one).coerce(False)
        for one in (Level.on_hand, Level.on_hand * priced.c.price, Level.on_hand * priced.c.cost,
                    unknown)
    ]  # fmt: skip
    query = Level.select(priced.c.currency, peewee.fn.COUNT(Level.id), *sums)
    joined = query.join(priced, on=(priced.c.id == Level.id)).where(there)
    rows = joined.group_by(priced.c.currency).order_by(priced.c.currency).tuples()
    return [_worth(*row) for row in rows]


def _worth(
    currency: str, items: int, pieces: int, price: int, cost: int | None, unknown: int
) -> Worth:
    return Worth(
        items, int(pieces), Money(int(price), currency), Money(int(cost or 0), currency),
        int(unknown),
    )  # fmt: skip


def low(limit: int = 50) -> tuple[int, list[Low]]:
    """Return how many items are low, and those of which there is least, in two queries."""
    query = Level.select().where(Level.low_stock, ~Level.retired)
    rows = query.order_by(Level.available, Level.id).limit(limit)
    shown = [Low(row.product, row.variant, row.available, figures.threshold(row)) for row in rows]
    return query.count(), shown
