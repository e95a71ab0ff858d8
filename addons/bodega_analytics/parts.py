"""What an order adds to the sums: computed from what its owners say of it, and from nothing else.

So it can be computed again at any time, and the sums are those of all orders' parts. Decision
0040 says what each of them means.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

from bodega_analytics.slots import slot_of
from bodega_sdk import addon_api, derive_key

#: Where a part belongs: name of a sum, slot, currency, and what it is about (or "").
Place = tuple[str, int, str, str]
#: Kind of an entry in the ledger of payments → what it changes of what went back.
_BACK = {"refund": 1, "refund_failed": -1, "dispute": 1, "dispute_won": -1}
_TAKINGS = {
    "capture": ("captures", "captured", 1),
    "refund": ("given_back", "refunded", 1),
    "refund_failed": ("given_back", "refunded", -1),
    "dispute": ("disputes", "disputed", 1),
    "dispute_won": ("disputes", "disputed", -1),
}


class Parts:
    """What one order adds: place → measure → number."""

    def __init__(self, found: Mapping[Place, Mapping[str, int]] | None = None) -> None:
        self.found: dict[Place, dict[str, int]] = {
            place: dict(numbers) for place, numbers in (found or {}).items()
        }

    def add(self, name: str, at: int, currency: str, about: str = "", **numbers: int) -> None:
        """Add to measures; nothing for nothing."""
        for measure, number in numbers.items():
            if number:
                held = self.found.setdefault((name, at, currency, about), {})
                held[measure] = held.get(measure, 0) + number

    @property
    def text(self) -> str:
        """As it is stored, the same for the same parts."""
        rows = sorted([*place, dict(sorted(n.items()))] for place, n in self.found.items())
        return json.dumps(rows, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "Parts":
        """Return what was stored."""
        return cls({(name, at, code, key): n for name, at, code, key, n in json.loads(text)})


def sources() -> str:
    """Return the names of the addons there are now that sums are made of."""
    return " ".join(name for name in ("orders", "payments") if addon_api(name) is not None)


def parts_of(orders: Iterable[UUID]) -> dict[UUID, Parts]:
    """Return what orders add, by id, in a few queries for all; those that are gone lack."""
    asked, payments = addon_api("orders"), addon_api("payments")
    if asked is None:
        return {}
    found = asked.orders_of(orders)
    returns = asked.returns_of(found)
    entries: Mapping[UUID, Any] = payments.entries_of(found) if payments else {}
    secret = derive_key("analytics buyers")
    return {
        key: _parts(order, returns[key], entries.get(key, ()), secret)
        for key, order in found.items()
    }


def _parts(order: Any, returns: Iterable[Any], entries: Any, secret: bytes) -> Parts:
    made = Parts()
    _place(made, order, _buyer(order, secret))
    _pay(made, order)
    gone_back = _give_back(made, order, entries)
    _cancel(made, order, gone_back)
    _return(made, order, returns)
    _take(made, entries)
    return made


def _buyer(order: Any, secret: bytes) -> str:
    """Return who bought, in a way that leads back to nobody.

    By the address that the order was placed with: it stays when an account goes, and a guest
    who gets an account stays the same customer.
    """
    digest = blake2b(order.email.encode(), key=secret[:64], digest_size=16).digest()
    return str(UUID(bytes=digest))


def _place(made: Parts, order: Any, buyer: str) -> None:
    at, code = slot_of(order.placed_at), order.total.currency
    made.add(
        "sales", at, code, orders=1, units=sum(line.quantity for line in order.lines),
        goods=order.subtotal.minor, discounts=order.discount.minor,
        shipping=order.shipping.minor, taxes=order.tax.minor, gross=order.total.minor,
    )  # fmt: skip
    made.add("buyers", at, code, buyer, orders=1)
    for product, lines in _by_product(order).items():
        made.add(
            "products", at, code, product, orders=1, units=sum(line.quantity for line in lines),
            goods=sum(line.unit_price.minor * line.quantity for line in lines),
            discounts=sum(line.discount.minor for line in lines),
            gross=sum(line.total.minor for line in lines),
        )  # fmt: skip


def _by_product(order: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for line in order.lines:
        found[str(line.product)].append(line)
    return found


def _pay(made: Parts, order: Any) -> None:
    if order.paid_at is None:
        return
    at, code = slot_of(order.paid_at), order.total.currency
    made.add("sales", at, code, paid_orders=1, paid=order.total.minor)
    for product in _by_product(order):
        made.add("products", at, code, product, paid_orders=1)


def _give_back(made: Parts, order: Any, entries: Any) -> int:
    """Count what went back of an order's total until it was cancelled; return how much."""
    code, sofar = order.total.currency, 0
    for at, gone in _refunds(order, entries):
        if order.cancelled_at is not None and at >= order.cancelled_at:
            break
        made.add("sales", slot_of(at), code, refunds=gone - sofar)
        sofar = gone
    return sofar


def _refunds(order: Any, entries: Any) -> Iterable[tuple[Any, int]]:
    """Yield when what had gone back of an order's total changed, and to how much."""
    total = order.total.minor
    if not entries and order.refunded_at is not None:
        # Nobody keeps a ledger: all that is known is when the last of it went back.
        yield order.refunded_at, min(total, order.refunded.minor)
    taken = back = 0
    for entry in entries:
        taken += entry.amount.minor * (entry.kind == "capture")
        back += entry.amount.minor * _BACK.get(entry.kind, 0)
        # What was taken too much goes back first, and is no refund of what was sold.
        yield entry.at, min(total, max(0, back - max(0, taken - total)))


def _cancel(made: Parts, order: Any, gone_back: int) -> None:
    if order.cancelled_at is None:
        return
    at, code = slot_of(order.cancelled_at), order.total.currency
    made.add("sales", at, code, cancelled_orders=1, cancelled=order.total.minor - gone_back)
    for product, lines in _by_product(order).items():
        made.add(
            "products", at, code, product,
            cancelled_units=sum(line.quantity for line in lines),
            cancelled=sum(line.total.minor for line in lines),
        )  # fmt: skip


def _return(made: Parts, order: Any, returns: Iterable[Any]) -> None:
    products = {line.id: str(line.product) for line in order.lines}
    for one in returns:
        at, code = slot_of(one.received_at), one.amount.currency
        made.add("sales", at, code, returns=one.amount.minor)
        for line, (pieces, worth) in one.lines.items():
            made.add("sales", at, code, returned_units=pieces)
            made.add(
                "products", at, code, products[line], returned_units=pieces, returns=worth.minor
            )


def _take(made: Parts, entries: Any) -> None:
    for entry in entries:
        if entry.kind in _TAKINGS:
            count, amount, sign = _TAKINGS[entry.kind]
            numbers = {count: sign, amount: sign * entry.amount.minor}
            made.add("takings", slot_of(entry.at), entry.amount.currency, entry.provider, **numbers)
