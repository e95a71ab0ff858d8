"""What is asked for, and what there is of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

#: Pieces that one movement can move.
LARGEST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """So many pieces of a variant, or of a product that comes in one form.

    Args:
        product: id of the product.
        variant: id of the variant; None for a product that is stocked as a whole.
        quantity: how many; signed where stock is adjusted.
    """

    product: UUID
    variant: UUID | None = None
    quantity: int = 1

    @property
    def id(self) -> UUID:
        """What its level is found by: the variant's id, or the product's."""
        return self.variant or self.product


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is of an item.

    Args:
        item: which one, and how many were asked for.
        on_hand: what is on the shelf.
        reserved: what of that is promised.
        available: the rest; less than zero when more was sold than is there.
        tracked: whether it is counted at all.
        backorder: whether more can be sold than is there.
        enough: whether so many can be had now.
        room: how many can be had at all; None without a limit.
    """

    item: Item
    on_hand: int
    reserved: int
    available: int
    tracked: bool
    backorder: bool
    enough: bool
    room: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement, as it stands in the ledger.

    Args:
        id: of the line.
        item: what was moved; its quantity is signed: what it changed of what is available.
        kind: ``receipt sale return adjustment reservation`` or ``release``.
        available: what was available behind it.
    """

    id: UUID
    item: Item
    kind: str
    available: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """What cannot be had.

    Args:
        item: what was asked for.
        place: which of the items it was, from 0.
        available: how many can be had.
        name: what to call it when speaking to people.
    """

    item: Item
    place: int
    available: int
    name: str


def merged(items: Iterable[Item]) -> list[Item]:
    """Return items with each but once, its quantities added up, in the order of their ids."""
    found: dict[UUID, Item] = {}
    for item in items:
        known = found.get(item.id)
        found[item.id] = (
            item if known is None else replace(known, quantity=known.quantity + item.quantity)
        )
    return sorted(found.values(), key=lambda item: item.id)
