"""Reading levels and the ledger, and holding what is about to be moved."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import peewee

from bodega_inventory import figures
from bodega_inventory.companions import ProductStock
from bodega_inventory.items import Item, Stock
from bodega_inventory.models import PHYSICAL, Level, Movement
from bodega_sdk import locked
from bodega_sdk.bulk import among, portions
from bodega_sdk.reading import rows_of


def hold(wanted: Sequence[UUID]) -> None:
    """Hold the stock of products until the commit.

    Args:
        wanted: their ids, in order; those that are gone are left out.
    """
    ProductStock.hold_many(wanted)


def levels_of(wanted: Iterable[UUID], *, lock: bool = False) -> list[Level]:
    """Return the levels of products and their variants, in the order of their ids."""
    found: list[Level] = []
    for some in portions(wanted):
        query = Level.select().where(among(Level.product, some)).order_by(Level.id)
        found += rows_of(locked(query) if lock else query)
    return found


def sums(keys: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return what the ledger says is on hand and reserved of items, 0 and 0 of unknown ones."""
    found = dict.fromkeys(keys, (0, 0))
    for some in portions(list(found)):
        for key, on_hand, reserved in ledger_sums().where(Movement.item.in_(some)).tuples():
            found[key] = (int(on_hand), int(reserved))
    return found


def ledger_sums() -> Any:
    """Return the query of item, what is on hand, and what is reserved."""
    physical = Movement.kind.in_(PHYSICAL)
    shelf = peewee.fn.SUM(peewee.Case(None, [(physical, Movement.quantity)], 0))
    promised = peewee.fn.SUM(peewee.Case(None, [(physical, 0)], Movement.quantity * -1))
    return Movement.select(
        Movement.item, shelf.coerce(False), promised.coerce(False)
    ).group_by(Movement.item)  # fmt: skip


def available(items: Sequence[Item]) -> list[Stock]:
    """Return what there is of each item, and whether so many can be had now.

    What was never stocked has nothing. Nothing is held: :func:`reserve` is what counts.
    """
    found: dict[UUID, Level] = {}
    for some in portions(sorted({item.id for item in items})):
        alive = Level.select().where(Level.id.in_(some), ~Level.retired)
        found |= {level.id: level for level in alive}
    return [_stock(item, found.get(item.id)) for item in items]


def _stock(item: Item, level: Level | None) -> Stock:
    if level is None:
        return Stock(item, 0, 0, 0, True, False, item.quantity <= 0, 0)
    left = figures.room(level)
    return Stock(
        item, level.on_hand, level.reserved, level.available, level.tracked, level.backorder,
        left is None or item.quantity <= left, left,
    )  # fmt: skip
