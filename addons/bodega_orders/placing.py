"""Checkout: from a cart, or from things that are named, to an order; one transaction.

Locks are taken in one order: the cart, the order (new, so nobody waits for it), the stock, and
what addons lock in ``refuse_order``.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from bodega_inventory import api as inventory
from bodega_orders import carting, carts, events, guessing, settling, statuses, stock
from bodega_orders.cart_models import Cart
from bodega_orders.cart_showing import show_quote
from bodega_orders.drafting import Thing, draft_of
from bodega_orders.drafts import Destination, Draft, Quote
from bodega_orders.errors import TotalsChanged
from bodega_orders.hookspecs import refuse_order
from bodega_orders.models import History, Line, Order
from bodega_orders.quoting import member_of, quote
from bodega_orders.telling import facts_of
from bodega_orders.writing import line_of, order_of
from bodega_sdk import Money, now, setting, transaction
from bodega_sdk.bulk import insert_models
from bodega_sdk.errors import FieldError, InvalidInput, Unavailable

#: What numbers are made of: nothing that people take for something else.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_TRIES = 5
#: Lines of one statement.
_ROWS = 100


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys.

    Args:
        account: None for a guest.
        email: in lower case.
        cart_token: the cart that they have the token of, if any.
    """

    account: UUID | None
    email: str
    cart_token: UUID | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to order.

    Args:
        cart: id of a cart; None when ``things`` says it.
        things: what is bought; empty with a cart.
        currency: of the prices; empty with a cart.
        codes, shipping_method: as the cart says when None.
        shipping_address, billing_address: members of a postal address; empty for none.
        expected_total: what the customer saw; None when it does not matter.
        address: network address that the codes come from; empty when they were looked at before.
    """

    cart: UUID | None
    things: tuple[Thing, ...]
    currency: str
    codes: tuple[str, ...] | None
    shipping_method: str | None
    shipping_address: Mapping[str, str]
    billing_address: Mapping[str, str]
    note: str
    expected_total: str | None
    address: str = ""


def place(buyer: Buyer, wish: Wish) -> Order:
    """Place an order: written, reserved and told, or nothing of it.

    Raises:
        InvalidInput: something cannot be ordered so, naming what.
        NotFound: there is no such cart.
        AlreadyOrdered: the cart was ordered before.
        TotalsChanged: it costs something else than was expected.
        OutOfStock: naming each item that is short.
        Vetoed: an addon refuses the order.
    """
    with transaction():
        cart = carting.hold(wish.cart, buyer) if wish.cart else None
        draft = _draft(buyer, wish, cart)
        told = _quoted(draft, wish)
        _refuse_problems(told)
        _refuse_other_total(wish, told)
        _refuse_nowhere(wish, draft)
        order, lines = _write(told, wish)
        _reserve(order, lines, wish)
        refuse_order(facts_of(order, lines))
        if cart is not None:
            carts.close(cart, order.id)
        _tell(order, lines)
        return order


def _quoted(draft: Draft, wish: Wish) -> Quote:
    """Quote a draft; whoever tries too many codes learns nothing from it."""
    if not wish.address:
        return quote(draft)
    guessing.refuse_guessing(wish.address)
    told = quote(draft)
    guessing.count_guesses(wish.address, told)
    return told


def _draft(buyer: Buyer, wish: Wish, cart: Cart | None) -> Draft:
    things, currency = wish.things, wish.currency
    codes, method = wish.codes or (), wish.shipping_method or ""
    if cart is not None:
        things, currency = tuple(carts.things_of(cart)), cart.currency
        codes = cart.codes if wish.codes is None else wish.codes
        method = cart.shipping_method if wish.shipping_method is None else method
    destination = _destination(wish)
    return draft_of(things, currency, buyer.account, buyer.email, destination, codes, method)


def _destination(wish: Wish) -> Destination:
    # Digital goods are taxed where the bill goes to.
    address = wish.shipping_address or wish.billing_address
    return Destination(*(address.get(name, "") for name in ("country", "region", "postal_code")))


def _refuse_problems(told: Quote) -> None:
    if told.problems:
        errors = [FieldError(member_of(problem), problem) for problem in told.problems]
        raise InvalidInput(f"It cannot be ordered so: {told.problems[0]}", errors)


def _refuse_other_total(wish: Wish, told: Quote) -> None:
    if wish.expected_total is None:
        return
    try:
        expected = Money.parse(wish.expected_total, told.total.currency)
    except ValueError as error:
        found = [FieldError("expected_total", str(error), wish.expected_total)]
        raise InvalidInput(f"'expected_total': {error}", found) from None
    if expected != told.total:
        raise TotalsChanged(str(expected), str(told.total), show_quote(told))


def _refuse_nowhere(wish: Wish, draft: Draft) -> None:
    if not wish.shipping_address and any(not line.digital for line in draft.lines):
        message = "Say where it shall be sent to."
        raise InvalidInput(message, [FieldError("shipping_address", message)])


def _write(told: Quote, wish: Wish) -> tuple[Order, list[Line]]:
    at = now()
    order = order_of(told, at, at + timedelta(minutes=setting("orders.payment_minutes")))
    order.note, order.cart = wish.note, wish.cart
    order.shipping_address = dict(wish.shipping_address)
    order.billing_address = dict(wish.billing_address or wish.shipping_address)
    _insert(order, at)
    lines = [line_of(order, place, one) for place, one in enumerate(told.lines)]
    for place in range(0, len(lines), _ROWS):
        insert_models(lines[place : place + _ROWS])
    return order, lines


def _insert(order: Order, at: datetime) -> None:
    """Insert an order under a number that nobody has."""
    for _ in range(_TRIES):
        order.number = number_of(at)
        # No savepoint, which would cost two statements: a number that is taken inserts nothing.
        if insert_models([order], or_ignore=True):
            return
    raise Unavailable("There is no free order number just now.", retry_after=1)


def number_of(at: datetime) -> str:
    """Return a number for an order: the day, and six letters and digits by chance."""
    return f"{at:%y%m%d}-{''.join(secrets.choice(_LETTERS) for _ in range(6))}"


def _reserve(order: Order, lines: Sequence[Line], wish: Wish) -> None:
    try:
        stock.promise(order, lines, str(order.account or ""), fresh=True)
    except inventory.OutOfStock as problem:
        raise _as_sent(problem, wish) from None


def _as_sent(problem: inventory.OutOfStock, wish: Wish) -> inventory.OutOfStock:
    """Return the problem with the places at which the customer named the items."""
    places: dict[UUID, int] = {}
    for place, (product, variant, _) in enumerate(wish.things):
        places.setdefault(variant or product, place)
    return inventory.OutOfStock(
        [replace(one, place=places.get(one.item.id, one.place)) for one in problem.short]
    )


def _tell(order: Order, lines: Sequence[Line]) -> None:
    """Write down that an order was placed; one of nothing to pay is confirmed at once."""
    account = str(order.account or "")
    row = History(order=order.id, status=order.status, role=statuses.CUSTOMER, account=account)
    insert_models([row])
    events.publish(events.placed, order, lines=len(lines))
    if order.total == 0:
        settling.settle_nothing(order)
