"""Which cart a checkout may have."""

from typing import Protocol
from uuid import UUID

from bodega_orders import carts
from bodega_orders.cart_models import ORDERED, Cart
from bodega_orders.errors import AlreadyOrdered
from bodega_orders.models import Order
from bodega_sdk.errors import FieldError, NotFound


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
    carts.refuse_closed(cart)
    return cart


def _reaches(cart: Cart, buyer: Buyer) -> bool:
    """Whether a cart is somebody's own, or a guest's that they have the token of."""
    if cart.account is not None:
        return bool(cart.account == buyer.account)
    return bool(buyer.cart_token == cart.id)
