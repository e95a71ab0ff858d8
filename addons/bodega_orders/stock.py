"""What orders do to the stock: it is promised, sold, let go or put back, each exactly once."""

from collections.abc import Iterable, Sequence

from bodega_inventory import api as inventory
from bodega_orders.models import RELEASED, RESERVED, RESTOCKED, SOLD, Line, Order
from bodega_orders.telling import lines_of
from bodega_products import api as products
from bodega_sdk.errors import Conflict, InvalidInput, NotFound


def items_of(lines: Iterable[Line]) -> list[inventory.Item]:
    """Return what lines are of, one after the other."""
    return [inventory.Item(line.product, line.variant, line.quantity) for line in lines]


def promise(order: Order, lines: Sequence[Line], actor: str = "", *, fresh: bool = False) -> None:
    """Reserve what an order contains, until it expires.

    Args:
        fresh: whether the order is new, so that nothing can be reserved for it yet.

    Raises:
        OutOfStock: naming each item that is short.
    """
    inventory.reserve(items_of(lines), order.reference, order.expires_at, actor=actor, fresh=fresh)
    order.stock = RESERVED


def sell(order: Order, actor: str = "") -> bool:
    """Sell what was promised; return False when the promise is over and the stock gone."""
    if order.stock == SOLD:
        return True
    if not _commit(order, actor):
        try:
            promise(order, lines_of([order.id])[order.id], actor)
        except (inventory.OutOfStock, InvalidInput):
            order.stock = RELEASED
            return False
        inventory.commit(order.reference, actor=actor)
    order.stock = SOLD
    return True


def _commit(order: Order, actor: str) -> bool:
    try:
        inventory.commit(order.reference, actor=actor)
    except (Conflict, NotFound):
        return False
    return True


def give_back(order: Order, reason: str, actor: str = "") -> None:
    """Let go of what is promised, or put what was sold on the shelf again."""
    if order.stock == SOLD:
        order.stock = RESTOCKED
        put_back(items_of(lines_of([order.id])[order.id]), order, "cancelled", reason, actor)
    elif order.stock == RESERVED:
        order.stock = RELEASED
        _release(order, actor)


def _release(order: Order, actor: str) -> None:
    try:
        inventory.release(order.reference, actor=actor)
    except (Conflict, NotFound):
        # It has ended by itself, long ago perhaps.
        return


def put_back(
    items: Sequence[inventory.Item], order: Order, key: str, reason: str, actor: str
) -> None:
    """Put things on the shelf again, once for a key; those the shop no longer has are left out."""
    there = still_known(items)
    if there:
        inventory.restock(
            there, reason=reason, reference=order.reference, key=f"{order.reference}:{key}",
            actor=actor,
        )  # fmt: skip


def still_known(items: Sequence[inventory.Item]) -> list[inventory.Item]:
    """Return items, each once, without those whose product or variant is gone."""
    there = products.products_of({item.product for item in items})
    forms = products.variants_of({item.variant for item in items if item.variant})
    added: dict[object, inventory.Item] = {}
    for item in items:
        if item.product in there and (item.variant is None or item.variant in forms):
            known = added.get(item.id)
            total = item.quantity + (known.quantity if known else 0)
            added[item.id] = inventory.Item(item.product, item.variant, total)
    return list(added.values())
