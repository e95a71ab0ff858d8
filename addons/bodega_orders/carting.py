"""What checkout does with a cart: it is held, read, and closed when it has become an order."""

from typing import Protocol
from uuid import UUID

from bodega_orders.cart_models import OPEN, ORDERED, Cart, CartItem
from bodega_orders.drafting import Thing
from bodega_orders.errors import AlreadyOrdered
from bodega_orders.models import Order
from bodega_sdk import now
from bodega_sdk.errors import Conflict, FieldError, NotFound


class Buyer(Protocol):
    """Who buys; see :class:`bodega_orders.placing.Buyer`."""

    @property
    def account(self) -> UUID | None:
        """None for a guest."""

    @property
    def cart_token(self) -> UUID | None:
        """The cart that they have the token of."""


def hold(key: UUID, buyer: Buyer) -> Cart:
    """Return a cart that somebody may order, held until the commit.

    Raises:
        NotFound: there is none that they reach.
        AlreadyOrdered: it has become an order.
        Conflict: it was taken over by another cart.
    """
    cart = Cart.find(key, lock=True)
    if cart is None or not _reaches(cart, buyer):
        message = "There is no cart with this id."
        raise NotFound(message, [FieldError("cart", message, str(key))])
    if cart.status == ORDERED:
        order = Order.find(cart.order)
        raise AlreadyOrdered(cart.id, cart.order, order.number if order else "")
    if cart.status != OPEN:
        message = "This cart was taken over by another one; order that."
        raise Conflict(message, [FieldError("cart", message, str(key))])
    return cart


def _reaches(cart: Cart, buyer: Buyer) -> bool:
    """Whether a cart is somebody's own, or a guest's that they have the token of."""
    if cart.account is not None:
        return bool(cart.account == buyer.account)
    return bool(buyer.cart_token == cart.id)


def things_of(cart: Cart) -> tuple[Thing, ...]:
    """Return what is in a cart."""
    rows = CartItem.select().where(CartItem.cart == cart.id).order_by(CartItem.id)
    return tuple((row.product, row.variant, row.quantity) for row in rows)


def close(cart: Cart, order: UUID) -> None:
    """Write down that a cart has become an order."""
    closed = {"status": ORDERED, "open_of": None, "order": order, "updated_at": now()}
    Cart.update(closed).where(Cart.id == cart.id).execute()
