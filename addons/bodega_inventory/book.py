"""The book of stock, opened for some products: what moves and sets their levels.

Whoever opens it holds the products' rows until the commit, in the order of their ids, so
that two who move the same items wait for each other and never for ever. Nothing else
writes levels, movements and what products show of them; they change together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bodega_inventory import events, figures
from bodega_inventory.companions import ProductStock, VariantStock
from bodega_inventory.errors import OutOfStock
from bodega_inventory.items import Item, Shortage
from bodega_inventory.models import PHYSICAL, Level, Movement
from bodega_inventory.reading import hold, levels_of, sums
from bodega_products import api as products
from bodega_sdk import now
from bodega_sdk.bulk import insert_models, insert_or_update, portions
from bodega_sdk.errors import FieldError, InvalidInput, PermissionDenied

_SETTINGS = ("low_stock_threshold", "backorder", "backorder_limit", "tracked")
_NUMBERS = ("on_hand", "reserved", "available", "in_stock", "low_stock")
#: Rows of one statement.
_INSERTED = 100
#: What an event tells when it changes.
_TOLD = (*_NUMBERS, *_SETTINGS)
_STATE = ("organization", "retired", *_TOLD)
_COLUMNS = ("id", "created_at", "product", "variant", "updated_at", *_STATE)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why stock is moved: what stands beside each movement.

    Args:
        reason: in words.
        reference: what it belongs to, e.g. ``"order:0190…"``.
        key: the same key moves the same item once; None for no such promise.
        actor: id of the account that did it; empty when the shop itself did.
    """

    reason: str = ""
    reference: str = ""
    key: str | None = None
    actor: str = ""


class Book:
    """The levels of some products, and all that is done to them in one transaction.

    Args:
        items: what it is opened for.
        others: further products whose levels it is opened for.
        strict: whether items that are gone are refused.

    Raises:
        InvalidInput: there is no such product or variant.
    """

    def __init__(
        self, items: Sequence[Item], others: Iterable[UUID] = (), *, strict: bool = True
    ) -> None:
        wanted = sorted({*others, *(item.product for item in items)})
        hold(wanted)
        self._products = products.products_of(wanted)
        self._levels = {level.id: level for level in levels_of(wanted, lock=True)}
        forms = {item.variant for item in items if item.variant}
        forms |= {level.variant for level in self._levels.values() if level.variant}
        self._variants = products.variants_of(forms) if forms else {}
        if strict:
            self._refuse_unknown(items)
        self._before = {key: _state(level) for key, level in self._levels.items()}
        self._movements: list[Movement] = []
        self._short: dict[int, Shortage] = {}
        self._begin({item.id: item for item in items if item.id not in self._levels})
        self._follow()

    def begin(self, items: Iterable[Item]) -> None:
        """Begin levels of items that have none, of products the book was opened for."""
        self._begin({item.id: item for item in items if item.id not in self._levels})
        self._follow()

    def _refuse_unknown(self, items: Sequence[Item]) -> None:
        errors = []
        for place, item in enumerate(items):
            variant = self._variants.get(item.variant) if item.variant else None
            if item.product not in self._products:
                message, name = "There is no product with this id.", "product"
            elif item.variant and (variant is None or variant.product != item.product):
                message, name = "The product has no variant with this id.", "variant"
            else:
                continue
            found = str(item.product if name == "product" else item.variant)
            errors.append(FieldError(f"items.{place}.{name}", message, found))
        if errors:
            raise InvalidInput(f"'{errors[0].field}': {errors[0].message}", errors)

    def _begin(self, missing: dict[UUID, Item]) -> None:
        """Begin levels of items that have none, with what the ledger says of them."""
        for key, (on_hand, reserved) in (sums(missing) if missing else {}).items():
            item = missing[key]
            level = Level(
                id=key, product=item.product, variant=item.variant, on_hand=on_hand,
                reserved=reserved,
            )  # fmt: skip
            figures.judge(level)
            self._levels[key] = level

    def _follow(self) -> None:
        """Take over whose the products are now, and which of them are gone."""
        for level in self._levels.values():
            product = self._products.get(level.product)
            level.retired = product is None or (
                level.variant is not None and level.variant not in self._variants
            )
            if product is not None:
                level.organization = product.organization

    def refuse_others(self, organization: UUID | None) -> None:
        """Refuse to move what is not an organization's; anything goes for None.

        Raises:
            PermissionDenied: a product is somebody else's.
        """
        if organization is None:
            return
        foreign = [p for p in self._products.values() if p.organization != organization]
        if foreign:
            message = f"{foreign[0].id}: this product is not your organization's."
            raise PermissionDenied(message, [FieldError("items", message)])

    def level(self, key: UUID) -> Level:
        """Return the level of an item that the book was opened for."""
        return self._levels[key]

    def is_new(self, key: UUID) -> bool:
        """Whether an item had no level before."""
        return key not in self._before

    def are_there(self, items: Iterable[Item]) -> list[Item]:
        """Return those of items whose products are not gone."""
        return [item for item in items if item.product in self._products]

    def stocked_by_variant(self) -> set[UUID]:
        """Return the products of which variants are stocked."""
        levels = self._levels.values()
        return {one.product for one in levels if one.variant is not None and not one.retired}

    def move(self, item: Item, kind: str, quantity: int, cause: Cause, place: int = 0) -> Movement:
        """Move pieces of an item; what lacks is told when the book is closed.

        Args:
            quantity: what it changes of what is available.
            place: which of the caller's items it is, for the error.
        """
        level = self._levels[item.id]
        if quantity < 0:
            self._look(level, item, -quantity, place)
        if kind in PHYSICAL:
            level.on_hand += quantity
        else:
            level.reserved -= quantity
        figures.judge(level)
        made = Movement(
            item=item.id, product=level.product, variant=level.variant,
            organization=level.organization, kind=kind, quantity=quantity,
            available=level.available, reason=cause.reason, reference=cause.reference,
            key=cause.key, actor=cause.actor,
        )  # fmt: skip
        self._movements.append(made)
        return made

    def _look(self, level: Level, item: Item, wanted: int, place: int) -> None:
        lowest = figures.floor(level)
        if lowest is not None and level.available - wanted < lowest:
            there = max(0, level.available - lowest)
            self._short[place] = Shortage(item, place, there, self.name_of(level))

    def name_of(self, level: Level) -> str:
        """Return what to call an item when speaking to people: its SKU, or its name."""
        name, sku = self._named(level)
        return sku or name or str(level.id)

    def _named(self, level: Level) -> tuple[str, str]:
        product = self._products.get(level.product)
        variant = self._variants.get(level.variant) if level.variant else None
        if product is None:
            return "", ""
        return product.name, (variant.sku if variant else "") or product.sku

    def close(self, reference: str = "") -> None:
        """Write all of it, and publish what became of it.

        Raises:
            OutOfStock: naming each item that is short; nothing was written.
        """
        if self._short:
            raise OutOfStock([self._short[place] for place in sorted(self._short)])
        for level in self._levels.values():
            figures.judge(level)
        changed = [one for key, one in self._levels.items() if _state(one) != self._before.get(key)]
        _write(changed)
        for some in portions(self._movements, _INSERTED):
            insert_models(some)
        self._show()
        self._publish(changed, reference)

    def _show(self) -> None:
        """Write down what products and variants show."""
        grouped: dict[UUID, list[Level]] = {key: [] for key in self._products}
        for level in self._levels.values():
            grouped.setdefault(level.product, []).append(level)
        alive = {key: figures.of_product(grouped[key]) for key in self._products}
        if alive:
            ProductStock.put(alive)
        forms = {
            level.id: figures.of_product([level])
            for level in self._levels.values()
            if level.variant is not None and not level.retired
        }
        if forms:
            VariantStock.put(forms)

    def _publish(self, changed: list[Level], reference: str) -> None:
        told = [
            (one, self._before.get(one.id, {}), *self._named(one))
            for one in changed
            if not one.retired and self._differs(one)
        ]
        if told:
            events.publish(told, reference)

    def _differs(self, level: Level) -> bool:
        before = self._before.get(level.id)
        return before is None or any(getattr(level, name) != before[name] for name in _TOLD)


def _state(level: Level) -> dict[str, Any]:
    return {name: getattr(level, name) for name in _STATE}


def _write(levels: list[Level]) -> None:
    for level in levels:
        level.updated_at = now()
    if levels:
        rows = ([getattr(level, name) for name in _COLUMNS] for level in levels)
        insert_or_update(Level, _COLUMNS, rows, key="id", update=("updated_at", *_STATE))
