"""Carts and quotes as they are shown."""

from dataclasses import asdict
from typing import Any

from bodega_orders import tokens
from bodega_orders.cart_schemas import CartSchema, QuoteSchema
from bodega_orders.drafts import Entry, Quote
from bodega_orders.looking import SeenCart, SeenItem
from bodega_orders.merging import Merged

_SUMS = ("subtotal", "discount", "shipping", "tax", "total")


def show_cart(seen: SeenCart, merged: Merged | None = None) -> dict[str, Any]:
    """Return a cart as it is shown to whom it belongs to."""
    cart = seen.cart
    names = ("id", "status", "order", "currency", "email", "codes", "shipping_method")
    shown: dict[str, Any] = CartSchema().dump(
        {name: getattr(cart, name) for name in (*names, "created_at", "updated_at")}
        | {
            "token": tokens.cart_token(cart.id) if cart.account is None else None,
            "destination": asdict(cart.destination),
            "items": [_item(one) for one in seen.items],
            "merged": merged,
        }
    )
    return shown | {"quote": show_quote(seen.quote)}


def show_quote(quote: Quote) -> dict[str, Any]:
    """Return a quote as it is shown."""
    shown: dict[str, Any] = QuoteSchema().dump(
        {name: getattr(quote, name) for name in _SUMS}
        | {
            "currency": quote.draft.currency,
            "prices_include_tax": quote.prices_include_tax,
            "entries": [_entry(entry) for entry in quote.entries],
            "shipping_options": quote.options,
            "refused_codes": quote.refused,
            "problems": quote.problems,
        }
    )
    return shown


def _entry(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__slots__}


def _item(one: SeenItem) -> dict[str, Any]:
    offer, quoted = one.found.offer, one.quoted
    shown = {name: getattr(one.row, name) for name in ("item", "product", "variant", "quantity")}
    told = ("name", "sku", "slug", "image_url")
    shown |= {name: getattr(offer, name) if offer else None for name in told}
    shown |= {
        "options": dict(offer.options) if offer else {},
        "available": one.available,
        "in_stock": one.stock.enough,
        "message": one.message,
        "former_price": one.former_price,
        "unit_price": quoted.line.unit_price if quoted else None,
        "subtotal": quoted.line.subtotal if quoted else None,
    }
    return shown | {
        name: getattr(quoted, name) if quoted else None for name in ("discount", "tax", "total")
    }
