"""Carts: making, filling and changing them. Call what writes in a transaction.

Whoever changes a cart, or what is in it, holds its row first. Its owner's comes before a guest's.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_orders import drafting, events
from bodega_orders.cart_models import MERGED, OPEN, ORDERED, Cart, CartItem
from bodega_orders.drafting import MOST, Thing, codes_of
from bodega_products import api as products
from bodega_products.api import Wanted
from bodega_sdk import locked, now, setting
from bodega_sdk.errors import Conflict, FieldError, NotFound, PermissionDenied, invalid

#: Members of a cart that are changed as they are sent.
_PLAIN = ("currency", "email", "shipping_method")
_CODES = 20
#: Times that a cart may be ordered or deleted while somebody waits for it.
_TRIES = 3


def begin(data: dict[str, Any]) -> Cart:
    """Make a guest's cart."""
    return change(Cart.create(currency=setting("products.currency")), data)


def open_of(account: UUID) -> Cart:
    """Return an account's open cart, held until the commit; made if there is none.

    Raises:
        PermissionDenied: there is no such account.
        Conflict: it is ordered again and again meanwhile.
    """
    if account not in accounts.people([account]):
        raise PermissionDenied("You have no account here, so you cannot keep a cart.")
    mine = locked(Cart.select().where(Cart.open_of == account))
    for _ in range(_TRIES):
        made = Cart(account=account, open_of=account, currency=setting("products.currency"))
        # Of two at once the second waits here for the first, and makes none.
        Cart.insert(made.__data__).on_conflict_ignore().execute()
        found: Cart | None = mine.clone().first()
        if found is not None:
            return found
    raise Conflict("Your cart is being ordered; ask again.")


def current_of(account: UUID) -> Cart | None:
    """Return an account's open cart, if there is one; nothing is held."""
    found: Cart | None = Cart.get_or_none(Cart.open_of == account)
    return found


def hold(cart: UUID) -> Cart:
    """Return a cart, locked until the commit, to be changed or ordered.

    Raises:
        NotFound: it is not there any more.
        Conflict: it was ordered, or merged into another one.
    """
    found = Cart.find(cart, lock=True)
    if found is None:
        message = "There is no cart with this id."
        raise NotFound(message, [FieldError("id", message, str(cart))])
    refuse_closed(found)
    return found


def refuse_closed(cart: Cart) -> None:
    """Refuse a cart that can no longer be changed.

    Raises:
        Conflict: it was ordered, or merged into another one.
    """
    if cart.status == ORDERED:
        raise Conflict("This cart has been ordered; begin another one.", _closed(cart))
    if cart.status == MERGED:
        message = "This cart was taken over by the cart of an account; use that one."
        raise Conflict(message, _closed(cart))


def _closed(cart: Cart) -> list[FieldError]:
    return [FieldError("status", f"Must be {OPEN}.", cart.status)]


def items_of(cart: Cart) -> list[CartItem]:
    """Return what is in a cart, in the order in which it was put in."""
    query = CartItem.select().where(CartItem.cart == cart.id)
    return list(query.order_by(CartItem.created_at, CartItem.id))


def things_of(cart: Cart) -> list[Thing]:
    """Return what is in a cart, for :func:`bodega_orders.drafting.draft_of`."""
    return [(row.product, row.variant, row.quantity) for row in items_of(cart)]


def close(cart: Cart, order: UUID) -> None:
    """Write down that a cart has become an order; its account may begin another one.

    Args:
        cart: held.
    """
    cart.status, cart.order, cart.open_of = ORDERED, order, None
    touch(cart)


def touch(cart: Cart) -> Cart:
    """Save a cart that was changed, or whose items were."""
    cart.updated_at = now()
    cart.save()
    return cart


def change(cart: Cart, data: dict[str, Any]) -> Cart:
    """Change a cart: codes, where it goes, how, in which currency, whose e-mail address.

    Raises:
        InvalidInput: there are too many codes.
    """
    for name in _PLAIN:
        setattr(cart, name, data.get(name, getattr(cart, name)))
    if "codes" in data:
        cart.codes = list(codes_of(data["codes"]))
        if len(cart.codes) > _CODES:
            raise invalid("codes", f"A cart holds at most {_CODES} codes.", len(cart.codes))
    for name, value in (data.get("destination") or {}).items():
        setattr(cart, name, value)
    return touch(cart)


def add(cart: Cart, data: dict[str, Any]) -> CartItem:
    """Put so many of a thing into a cart; more of what is in it already.

    Args:
        cart: held.
        data: ``product``, ``variant`` or both, and ``quantity``.

    Raises:
        InvalidInput: there is no such thing, it is not for sale, which variant is meant was
            not said, or there would be too many.
    """
    product = _product(data.get("product"), data.get("variant"))
    variant, quantity = data.get("variant"), data.get("quantity", 1)
    there = CartItem.get_or_none((CartItem.cart == cart) & (CartItem.item == (variant or product)))
    if there is None:
        inside = CartItem.select().where(CartItem.cart == cart).count()
        drafting.refuse_many(inside + 1)
    number = quantity + (there.quantity if there else 0)
    if number > MOST:
        raise invalid("quantity", f"A cart holds at most {MOST} of one thing.", number)
    (found,) = drafting.look([Wanted(product, variant, number)], cart.currency)
    if found.line is None:
        raise invalid(found.field, found.fault, _sent(data, found.field, cart))
    touch(cart)
    if there is not None:
        return _put(there, number)
    made = put_in(cart, found.wanted, found.line.unit_price.minor, cart.currency)
    events.cart_item_added.publish(
        str(cart.id),
        {"cart": cart.id, "product": product, "variant": variant, "quantity": quantity},
    )
    return made


def put_in(cart: Cart, wanted: Wanted, price: int | None, currency: str) -> CartItem:
    """Put into a cart what is not in it yet.

    Args:
        price: what one costs now, in minor units of the currency.
    """
    made: CartItem = CartItem.create(
        cart=cart.id, item=wanted.item, product=wanted.product, variant=wanted.variant,
        quantity=wanted.quantity, price_minor=price, price_currency=currency,
    )  # fmt: skip
    return made


def _sent(data: dict[str, Any], field: str, cart: Cart) -> str | None:
    found = cart.currency if field == "currency" else data.get(field)
    return None if found is None else str(found)


def _product(product: UUID | None, variant: UUID | None) -> UUID:
    """Return the product that is meant; a variant may be named without it."""
    if product is not None:
        return product
    if variant is None:
        raise invalid("product", "Name a product or a variant.")
    found = products.variants_of([variant]).get(variant)
    if found is None:
        raise invalid("variant", "There is no variant with this id.", str(variant))
    return found.product


def item_of(cart: Cart, key: UUID) -> CartItem:
    """Return an item of a cart, by the id of its variant, or of its product without one.

    Raises:
        NotFound: the cart has no such item.
    """
    found: CartItem | None = CartItem.get_or_none((CartItem.item == key) & (CartItem.cart == cart))
    if found is None:
        message = "This cart holds no such item."
        raise NotFound(message, [FieldError("item", message, str(key))])
    return found


def set_quantity(cart: Cart, item: CartItem, quantity: int) -> CartItem:
    """Let a cart hold so many of a thing.

    Args:
        cart: held.
        quantity: 1 to :data:`bodega_orders.drafting.MOST`.
    """
    touch(cart)
    return _put(item, quantity)


def _put(item: CartItem, quantity: int) -> CartItem:
    item.quantity, item.updated_at = quantity, now()
    item.save()
    return item


def remove(cart: Cart, item: CartItem) -> None:
    """Take a thing out of a cart that is held."""
    item.delete_instance()
    touch(cart)


def clear(cart: Cart) -> None:
    """Take everything out of a cart that is held."""
    CartItem.delete().where(CartItem.cart == cart).execute()
    touch(cart)


def forget(limit: int = 500) -> int:
    """Delete carts that nobody has touched for ``orders.cart_days``; return how many.

    Args:
        limit: how many, at most.
    """
    old = Cart.updated_at < now() - timedelta(days=setting("orders.cart_days"))
    some = [key for (key,) in Cart.select(Cart.id).where(old).limit(limit).tuples()]
    # Whoever has touched one meanwhile keeps it.
    return int(Cart.delete().where(Cart.id.in_(some), old).execute())
