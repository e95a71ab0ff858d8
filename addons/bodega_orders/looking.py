"""Looking at a cart: what is in it now, whether it can be had, and what all of it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_inventory.api import Stock
from bodega_orders import carts, drafting, quoting
from bodega_orders.cart_models import Cart, CartItem
from bodega_orders.drafting import Found
from bodega_orders.drafts import Quote, QuotedLine
from bodega_products.api import Wanted
from bodega_sdk import Money


@dataclass(frozen=True, slots=True)
class SeenItem:
    """An item of a cart, as it is now.

    Args:
        row: as it was put in.
        found: what it is now.
        stock: what there is of it.
        quoted: its share of what the cart costs; None when it cannot be bought.
    """

    row: CartItem
    found: Found
    stock: Stock
    quoted: QuotedLine | None

    @property
    def available(self) -> bool:
        """Whether it can be bought at all."""
        return self.found.line is not None

    @property
    def message(self) -> str:
        """Why so many of it cannot be bought now; empty when they can."""
        if self.found.fault:
            return self.found.fault
        if self.stock.enough:
            return ""
        return drafting.short_of(self.found, self.stock)

    @property
    def former_price(self) -> Money | None:
        """What one cost when it was put in, if it costs something else now."""
        if self.row.price_minor is None or self.quoted is None:
            return None
        before = Money(self.row.price_minor, self.row.price_currency)
        now = self.quoted.line.unit_price
        return before if before.currency == now.currency and before != now else None


@dataclass(frozen=True, slots=True)
class SeenCart:
    """A cart, what is in it, and what it costs."""

    cart: Cart
    items: tuple[SeenItem, ...]
    quote: Quote


def look_at(cart: Cart) -> SeenCart:
    """Return a cart as it is now; the number of queries does not depend on how much is in it.

    Raises:
        HookFailed: an addon that has a say in what it costs failed.
    """
    rows = carts.items_of(cart)
    wanted = [Wanted(row.product, row.variant, row.quantity) for row in rows]
    found = drafting.look(wanted, cart.currency)
    stock = drafting.in_stock(found)
    quote = _quote(cart, found)
    items = tuple(_seen(rows, found, stock, quote))
    faults = tuple(item.message for item in items if item.message)
    return SeenCart(cart, items, replace(quote, problems=(*faults, *quote.problems)))


def _quote(cart: Cart, found: list[Found]) -> Quote:
    lines = [one.line for one in found if one.line is not None]
    return quoting.quote(
        drafting.drafted(
            lines, cart.currency, cart.account, _email(cart), cart.destination, cart.codes,
            cart.shipping_method,
        )
    )  # fmt: skip


def _email(cart: Cart) -> str:
    """Return the address of who buys: the account's own, or what a guest has said."""
    if cart.account is None:
        return str(cart.email)
    owner = accounts.people([cart.account]).get(cart.account)
    return owner.email if owner else ""


def _seen(
    rows: list[CartItem], found: list[Found], stock: Mapping[UUID, Stock], quote: Quote
) -> Iterator[SeenItem]:
    quoted = {one.line.item: one for one in quote.lines}
    for row, one in zip(rows, found, strict=True):
        yield SeenItem(row, one, stock[row.item], quoted.get(row.item))
