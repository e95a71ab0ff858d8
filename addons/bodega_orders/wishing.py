"""From a checkout's request to who buys what."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_orders import tokens
from bodega_orders.cart_models import Cart
from bodega_orders.placing import Buyer, Wish
from bodega_sdk import Request, setting
from bodega_sdk.errors import FieldError, InvalidInput, PermissionDenied, invalid

USE = "orders.use"


def account_of(request: Request) -> UUID | None:
    """Return the account that is calling; None for a guest.

    A key that was not made for ordering orders as anybody can who has none: as a guest.
    """
    identity = request.identity
    try:
        return UUID(identity.subject) if identity.may(USE) else None
    except ValueError:
        return None


def buyer_of(request: Request) -> Buyer:
    """Return who buys.

    Raises:
        InvalidInput: a guest says no e-mail address, or an account another than its own.
    """
    account, body = account_of(request), request.body
    token = tokens.cart_of(request)
    if account is None:
        return Buyer(None, body.get("email") or _email_in(token, body.get("cart")), token)
    person = accounts.people([account]).get(account)
    if person is None:
        raise PermissionDenied("You have no account here, so you cannot order with it.")
    if body.get("email", person.email) != person.email:
        raise invalid("email", "Leave this out; your account's own is taken.", body["email"])
    return Buyer(account, person.email.lower(), token)


def _email_in(token: UUID | None, cart: UUID | None) -> str:
    """Return the e-mail address that a guest has put into their cart."""
    found = Cart.find(cart) if cart is not None and cart == token else None
    if found is None or not found.email:
        raise invalid("email", "Say where the order's news shall be sent to.")
    return str(found.email)


def wish_of(request: Request, account: UUID | None) -> Wish:
    """Return what is wanted.

    Raises:
        InvalidInput: neither a cart nor things are named, or both; an address is unknown.
    """
    body = request.body
    if ("cart" in body) == ("items" in body):
        message = "Name either a cart or items."
        raise InvalidInput(message, [FieldError("cart", message), FieldError("items", message)])
    if "cart" in body and "currency" in body:
        raise invalid("currency", "Leave this out; the cart has one.", body["currency"])
    total = body.get("expected_total")
    return Wish(
        cart=body.get("cart"),
        things=tuple((one["product"], one["variant"], one["quantity"])
                     for one in body.get("items", ())),
        currency=body.get("currency") or setting("products.currency"),
        codes=tuple(body["codes"]) if "codes" in body else None,
        shipping_method=body.get("shipping_method"),
        shipping_address=_address(body, "shipping_address", account),
        billing_address=_address(body, "billing_address", account),
        note=body["note"],
        expected_total=None if total is None else format(total, "f"),
        address=request.address if body.get("codes") else "",
    )  # fmt: skip


def _address(body: Mapping[str, Any], name: str, account: UUID | None) -> dict[str, str]:
    """Return an address that is written out, or kept in the account's address book."""
    written, key = body.get(name), body.get(f"{name}_id")
    if written is not None and key is not None:
        raise invalid(f"{name}_id", f"Leave this out, or {name}.", str(key))
    if key is None:
        return dict(written or {})
    found = accounts.address_of(account, key) if account is not None else None
    if found is None:
        raise invalid(f"{name}_id", "You have no address with this id.", str(key))
    return found
