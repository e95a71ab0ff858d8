"""Taking a guest's cart over into an account's, once, and never beyond what can be had."""

from dataclasses import dataclass
from uuid import UUID

from bodega_inventory.api import Stock
from bodega_orders import carts, drafting
from bodega_orders.cart_models import MERGED, OPEN, Cart, CartItem
from bodega_orders.drafting import MOST, Found
from bodega_products.api import Wanted
from bodega_sdk import setting
from bodega_sdk.errors import invalid

#: What becomes of a thing that is in both carts: its quantities are added up, the larger one
#: counts, or the account's own is kept.
SUM, MAX, KEEP = "sum", "max", "keep"
STRATEGIES = (SUM, MAX, KEEP)
#: Of the shop's own members of a cart, those that an account's cart takes over where it has none.
_PLACE = ("country", "region", "postal_code")


@dataclass(frozen=True, slots=True)
class Capped:
    """What was not taken over as it was wanted.

    Args:
        wanted: how many the merged cart should hold.
        quantity: how many it holds.
        message: why, one sentence.
    """

    product: UUID
    variant: UUID | None
    wanted: int
    quantity: int
    message: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did.

    Args:
        cart: the account's.
        taken: things of the guest's cart that are in it now.
        capped: those of which fewer are in it than should be.
    """

    cart: Cart
    strategy: str
    taken: int = 0
    capped: tuple[Capped, ...] = ()


def merge(own: Cart, guest: UUID, strategy: str) -> Merged:
    """Merge a guest's cart into an account's.

    What was merged into this very cart before is left as it is: nothing is taken twice.

    Args:
        own: held.
        guest: id of the guest's, whose token the caller has.

    Raises:
        InvalidInput: there is no such guest's cart.
        Conflict: it was ordered, or merged into another cart.
    """
    other = _held(guest)
    if other.status == MERGED and other.merged_into == own.id:
        return Merged(own, strategy)
    carts.refuse_closed(other)
    return _merge(own, other, strategy)


def take_over(own: Cart, guest: UUID) -> Merged | None:
    """Merge a guest's cart if it is open, as when its owner logs in; else do nothing.

    Args:
        own: held.
        guest: id of the guest's, whose token the caller has.
    """
    other = Cart.find(guest, lock=True)
    if other is None or not _is_taken_from(other):
        return None
    return _merge(own, other, SUM)


def is_open(guest: UUID) -> bool:
    """Whether there is a guest's cart to take over; nothing is held."""
    found = Cart.find(guest)
    return found is not None and _is_taken_from(found)


def _is_taken_from(cart: Cart) -> bool:
    return cart.status == OPEN and cart.account is None


def _held(guest: UUID) -> Cart:
    found = Cart.find(guest, lock=True)
    if found is None or found.account is not None:
        raise invalid("Cart-Token", "There is no guest's cart with this token any more.")
    return found


def _merge(own: Cart, other: Cart, strategy: str) -> Merged:
    mine = {item.item: item for item in carts.items_of(own)}
    theirs = carts.items_of(other)
    _take_members(own, other, empty=not mine)
    wanted = [_wanted(item, mine.get(item.item), strategy) for item in theirs]
    found = drafting.look(wanted, own.currency)
    stock = drafting.in_stock(found)
    capped = []
    for item, one in zip(theirs, found, strict=True):
        held = mine.get(item.item)
        quantity, message = _room(one, stock[item.item], held, len(mine))
        if quantity != one.wanted.quantity:
            capped.append(_capped(one.wanted, quantity, message))
        if quantity:
            mine[item.item] = _put(own, held, item, quantity)
    _close(own, other)
    taken = sum(item.item in mine for item in theirs)
    return Merged(own, strategy, taken, tuple(capped))


def _wanted(item: CartItem, held: CartItem | None, strategy: str) -> Wanted:
    own = held.quantity if held else 0
    quantity = {
        SUM: own + item.quantity,
        MAX: max(own, item.quantity),
        KEEP: own or item.quantity,
    }[strategy]
    return Wanted(item.product, item.variant, quantity)


def _room(one: Found, stock: Stock, held: CartItem | None, inside: int) -> tuple[int, str]:
    """Return how many the merged cart shall hold of a thing, and why not as many as wanted.

    What an account has put in itself is never taken out, only lowered to what can be had.
    """
    own, quantity = held.quantity if held else 0, one.wanted.quantity
    if one.line is None:
        return own, one.fault
    if held is None and inside >= setting("orders.cart_lines"):
        return 0, f"A cart holds at most {setting('orders.cart_lines')} different things."
    if not stock.enough:
        return stock.room or own, drafting.short_of(one, stock)
    if quantity > MOST:
        return MOST, f"A cart holds at most {MOST} of one thing."
    return quantity, ""


def _capped(wanted: Wanted, quantity: int, message: str) -> Capped:
    return Capped(wanted.product, wanted.variant, wanted.quantity, quantity, message)


def _put(own: Cart, held: CartItem | None, item: CartItem, quantity: int) -> CartItem:
    if held is not None:
        return carts.set_quantity(own, held, quantity)
    wanted = Wanted(item.product, item.variant, quantity)
    return carts.put_in(own, wanted, item.price_minor, item.price_currency)


def _take_members(own: Cart, other: Cart, *, empty: bool) -> None:
    """Let a cart have what the other one says and it does not say itself."""
    if empty:
        own.currency = other.currency
    if not own.country:
        for name in _PLACE:
            setattr(own, name, getattr(other, name))
    own.shipping_method = own.shipping_method or other.shipping_method
    own.codes = list(drafting.codes_of([*own.codes, *other.codes]))


def _close(own: Cart, other: Cart) -> None:
    CartItem.delete().where(CartItem.cart == other).execute()
    other.status, other.merged_into = MERGED, own.id
    carts.touch(other)
    carts.touch(own)
