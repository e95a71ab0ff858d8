"""The routes of carts: of an account's own, and of a guest who has the token."""

from typing import Any
from uuid import UUID

from bodega_orders import carts, guessing, merging, tokens
from bodega_orders.cart_models import Cart
from bodega_orders.cart_schemas import CartItemSchema, CartSchema, MergeSchema, QuantitySchema
from bodega_orders.cart_showing import show_cart
from bodega_orders.looking import look_at
from bodega_orders.merging import Merged
from bodega_sdk import PUBLIC, Reply, Request, Route, transaction
from bodega_sdk.errors import BadRequest, FieldError, NotFound, PermissionDenied

USE = "orders.use"
_WHOSE: dict[str, Any] = {"objects": "own", "reads": tokens.READS_CART, "tag": "carts"}


def routes() -> tuple[Route, ...]:
    """Return them."""
    one, item = "/carts/{id}", "/carts/{id}/items/{item}"
    shown: dict[str, Any] = {"returns": CartSchema, **_WHOSE}
    return (
        Route("POST", "/carts", _create, PUBLIC, "Begin a cart", body=CartSchema, status=201,
              description="A guest gets a new one, and with it the `token` that reaches it. An "
              "account has one open cart: if it is there, it is changed and answered with 200.",
              **shown),
        Route("GET", "/carts/current", _current, PUBLIC, "Read one's own open cart",
              description="Of an account, which gets one if it has none: a guest's cart whose "
              "token is sent along is taken over, once; `merged` says how. Of a guest, the cart "
              "of the token.", **shown),
        Route("GET", one, _read, PUBLIC, "Read a cart", **shown),
        Route("PATCH", one, _change, PUBLIC, "Change a cart", body=CartSchema, partial=True,
              **shown),
        Route("DELETE", one, _delete, PUBLIC, "Delete a cart", status=204, **_WHOSE),
        Route("POST", "/carts/{id}/items", _add, PUBLIC, "Put something into a cart",
              body=CartItemSchema, status=201, idempotent=True,
              description="What is in it already becomes more.", **shown),
        Route("DELETE", "/carts/{id}/items", _clear, PUBLIC, "Empty a cart", **shown),
        Route("PATCH", item, _set_quantity, PUBLIC, "Set how many of something a cart holds",
              body=QuantitySchema, **shown),
        Route("DELETE", item, _remove, PUBLIC, "Take something out of a cart", **shown),
        Route("POST", "/carts/{id}/merge", _merge, USE, "Take a guest's cart over",
              body=MergeSchema, description="Into one's own, which `id` is: the guest's is the one "
              "of `Cart-Token`. Nothing is taken twice.", **shown),
    )  # fmt: skip


def _account(request: Request) -> UUID | None:
    """Return whose account it is that calls for itself; None for guests."""
    identity = request.identity
    if not identity.authenticated or not identity.may(USE):
        return None
    try:
        return UUID(identity.subject)
    except ValueError:
        raise PermissionDenied("You have no account here, so you cannot keep a cart.") from None


def _reached(request: Request) -> Cart:
    """Return the cart of an address.

    Raises:
        NotFound: there is none, or the caller neither owns it nor has its token.
    """
    key, account = request.params["id"], _account(request)
    found = Cart.find(key)
    if found is not None:
        if found.account is not None and found.account == account:
            return found
        if found.account is None and tokens.cart_of(request) == key:
            return found
    message = "You have no cart with this id; a guest sends its Cart-Token."
    raise NotFound(message, [FieldError("id", message, str(key))])


def _held(request: Request) -> Cart:
    cart = carts.hold(_reached(request).id)
    request.refuse_stale("cart", lambda: _shown(cart))
    return cart


def _shown(cart: Cart, merged: Merged | None = None) -> dict[str, Any]:
    return show_cart(look_at(cart), merged)


def _create(request: Request) -> Reply:
    account = _account(request)
    with transaction():
        there = carts.current_of(account) if account else None
        cart = (
            carts.change(carts.open_of(account), request.body)
            if account
            else carts.begin(request.body)
        )
        shown = _tried(request, cart)
    where = f"{request.raw.path.rstrip('/')}/{cart.id}"
    return Reply(shown, 200 if there else 201, {"Location": where})


def _tried(request: Request, cart: Cart) -> dict[str, Any]:
    """Show a cart that was changed; whoever tries too many codes changes and learns nothing."""
    if "codes" not in request.body:
        return _shown(cart)
    guessing.refuse_guessing(request.address)
    seen = look_at(cart)
    guessing.count_guesses(request.address, seen.quote)
    return show_cart(seen)


def _current(request: Request) -> dict[str, Any]:
    account, guest = _account(request), tokens.cart_of(request)
    if account is None:
        return _shown(_of_guest(guest))
    cart = carts.current_of(account)
    merged = None
    # Whoever only looks, as mostly, waits for nobody.
    if cart is None or (guest is not None and merging.is_open(guest)):
        with transaction():
            cart = carts.open_of(account)
            merged = merging.take_over(cart, guest) if guest is not None else None
    return _shown(cart, merged)


def _of_guest(guest: UUID | None) -> Cart:
    if guest is None:
        message = "Log in, or send the Cart-Token of a cart; POST /carts begins one."
        raise BadRequest(message, [FieldError("Cart-Token", message)])
    found = Cart.find(guest)
    if found is None or found.account is not None:
        message = "The cart of this token is gone; POST /carts begins another one."
        raise NotFound(message, [FieldError("Cart-Token", message)])
    return found


def _read(request: Request) -> dict[str, Any]:
    return _shown(_reached(request))


def _change(request: Request) -> dict[str, Any]:
    if not request.body:
        message = "Send at least one member to change."
        raise BadRequest(message, [FieldError("body", message)])
    with transaction():
        return _tried(request, carts.change(_held(request), request.body))


def _delete(request: Request) -> Reply:
    with transaction():
        _held(request).delete_instance()
    return Reply(status=204)


def _add(request: Request) -> dict[str, Any]:
    with transaction():
        cart = _held(request)
        carts.add(cart, request.body)
        return _shown(cart)


def _clear(request: Request) -> dict[str, Any]:
    with transaction():
        cart = _held(request)
        carts.clear(cart)
    return _shown(cart)


def _set_quantity(request: Request) -> dict[str, Any]:
    with transaction():
        cart = _held(request)
        item = carts.item_of(cart, request.params["item"])
        carts.set_quantity(cart, item, request.body["quantity"])
    return _shown(cart)


def _remove(request: Request) -> dict[str, Any]:
    with transaction():
        cart = _held(request)
        carts.remove(cart, carts.item_of(cart, request.params["item"]))
    return _shown(cart)


def _merge(request: Request) -> dict[str, Any]:
    reached, guest = _reached(request), tokens.cart_of(request)
    if guest is None:
        message = "Send the Cart-Token of the guest's cart."
        raise BadRequest(message, [FieldError("Cart-Token", message)])
    if reached.account is None:
        message = "Log in, and merge into your own cart."
        raise BadRequest(message, [FieldError("id", message, str(reached.id))])
    with transaction():
        own = _held(request)
        merged = merging.merge(own, guest, request.body["strategy"])
    return _shown(own, merged)
