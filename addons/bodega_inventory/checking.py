"""Whether ledger, levels, reservations and figures agree, and making them agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import peewee

from bodega_inventory import figures
from bodega_inventory.book import Book
from bodega_inventory.companions import ProductStock
from bodega_inventory.items import Item
from bodega_inventory.models import OPEN, Level, Movement, Reservation
from bodega_inventory.reading import hold, levels_of, sums
from bodega_products import api as products
from bodega_sdk import transaction
from bodega_sdk.bulk import portions

#: Products that are looked at together.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that is not as the ledger says.

    Args:
        product: id of the product.
        item: id of the level, or of the product where it is about what that shows.
        about: ``on_hand``, ``reserved``, ``available``, ``reservations``, ``level`` or what a
            product shows.
        found, expected: what stands there, and what should.
    """

    product: UUID
    item: UUID
    about: str
    found: object
    expected: object

    def __str__(self) -> str:
        return f"{self.item}: {self.about} is {self.found}, expected {self.expected}"


def check() -> Iterator[Disagreement]:
    """Yield what does not agree, a thousand products at a time."""
    for some in portions(_products(), _BATCH):
        yield from _compare(list(some))


def _products() -> list[UUID]:
    found = {key for (key,) in Level.select(Level.product).distinct().tuples()}
    found |= {key for (key,) in Movement.select(Movement.product).distinct().tuples()}
    return sorted(found)


def _compare(wanted: Sequence[UUID]) -> Iterator[Disagreement]:
    # Held while it is read: nobody moves them meanwhile.
    with transaction():
        hold(wanted)
        levels = levels_of(wanted)
        items = _items_of(wanted)
        said, promised = sums(items), _reserved(wanted)
        shown = ProductStock.read_many(wanted)
        alive = products.products_of(wanted)
    known = {level.id for level in levels}
    for key, (on_hand, reserved) in said.items():
        if key not in known:
            yield Disagreement(items[key].product, key, "level", None, on_hand - reserved)
    for level in levels:
        yield from _of_level(level, *said[level.id], promised.get(level.id, 0))
    grouped: dict[UUID, list[Level]] = {key: [] for key in wanted}
    for level in levels:
        grouped[level.product].append(level)
    for key in alive:
        yield from _of_product(key, grouped[key], shown[key])


def _of_level(level: Level, on_hand: int, reserved: int, promised: int) -> Iterator[Disagreement]:
    for about, found, expected in (
        ("on_hand", level.on_hand, on_hand),
        ("reserved", level.reserved, reserved),
        ("available", level.available, on_hand - reserved),
        ("reservations", promised, reserved),
    ):
        if found != expected:
            yield Disagreement(level.product, level.id, about, found, expected)


def _of_product(key: UUID, levels: Sequence[Level], shown: ProductStock) -> Iterator[Disagreement]:
    for name, expected in figures.of_product(levels).items():
        if getattr(shown, name) != expected:
            yield Disagreement(key, key, f"shown {name}", getattr(shown, name), expected)


def _items_of(wanted: Sequence[UUID]) -> dict[UUID, Item]:
    """Return the items of products that have a level, or a movement."""
    found: dict[UUID, Item] = {}
    for model, key in ((Level, Level.id), (Movement, Movement.item)):
        query = model.select(key, model.product, model.variant).distinct()
        for item, product, variant in query.where(model.product.in_(wanted)).tuples():
            found[item] = Item(product, variant)
    return found


def _reserved(wanted: Sequence[UUID]) -> dict[UUID, int]:
    promised = peewee.fn.SUM(Reservation.quantity).coerce(False)
    query = Reservation.select(Reservation.item, promised).where(
        Reservation.product.in_(wanted), Reservation.status == OPEN, Reservation.counted
    )
    return {key: int(number) for key, number in query.group_by(Reservation.item).tuples()}


def repair(found: Sequence[Disagreement]) -> int:
    """Make levels and figures say what the ledger says; return of how many products.

    The ledger is never changed, nor are reservations.
    """
    wanted = sorted({item.product for item in found})
    for some in portions(wanted, _BATCH):
        with transaction():
            book = Book([], some, strict=False)
            items = _items_of(some)
            book.begin(items.values())
            for key, (on_hand, reserved) in sums(items).items():
                level = book.level(key)
                level.on_hand, level.reserved = on_hand, reserved
            book.close("repair")
    return len(wanted)
