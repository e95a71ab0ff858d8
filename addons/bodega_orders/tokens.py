"""What guests reach their carts and orders with: the id, and an HMAC of it.

Nothing is stored: the key is derived from the shop's. A token is ``<id>.<seal>``, both without
padding, and good for as long as what it names is there. One of a cart opens no order.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from bodega_sdk import Request, derive_key

#: Headers of requests.
CART, ORDER = "Cart-Token", "Order-Token"
#: What routes say of them.
READS_CART = {CART: "The token that the guest's cart was made with."}
READS_ORDER = {ORDER: "The token that the guest's order was placed with."}
_HEX, _SEAL = 32, 43


def cart_token(cart: UUID) -> str:
    """Return what a guest reaches a cart with; send it as ``Cart-Token``."""
    return _token("cart", cart)


def order_token(order: UUID) -> str:
    """Return what a guest reaches an order with; send it as ``Order-Token``."""
    return _token("order", order)


def cart_of(request: Request) -> UUID | None:
    """Return the id of the cart that a request has the token of; None without a good one."""
    return _read("cart", request.raw.get_header(CART) or "")


def order_of(request: Request) -> UUID | None:
    """Return the id of the order that a request has the token of; None without a good one."""
    return _read("order", request.raw.get_header(ORDER) or "")


def _token(kind: str, key: UUID) -> str:
    return f"{key.hex}.{_seal(kind, key)}"


def _seal(kind: str, key: UUID) -> str:
    digest = hmac.new(derive_key(f"orders {kind} tokens"), key.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _read(kind: str, sent: str) -> UUID | None:
    name, dot, seal = sent.partition(".")
    if len(name) != _HEX or not dot or len(seal) != _SEAL or not sent.isascii():
        return None
    try:
        key = UUID(hex=name)
    except ValueError:
        return None
    return key if hmac.compare_digest(seal.encode(), _seal(kind, key).encode()) else None
