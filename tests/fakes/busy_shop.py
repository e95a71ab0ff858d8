"""A shop that sells quickly: rows as checkout writes them, and what happens to them through
the domain's own functions, each with its events in the log.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from peewee import chunked

from bodega_orders import changing, events, returning, settling, statuses
from bodega_orders.models import RELEASED, SOLD, Line, Order
from bodega_payments import events as payment_events
from bodega_payments.models import LedgerEntry, Payment
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Category, Product
from bodega_sdk import now, transaction, uuid7
from bodega_sdk.bulk import insert_models

STAFF = statuses.By(statuses.STAFF)
_PRICE = {"price_minor": 1000, "currency": "USD"}


def goods(number: int, groups: int = 2) -> list[UUID]:
    """Make products, in turns of some categories and of none."""
    names = [f"Group {place}" for place in range(groups)]
    there = [Category.create(name=name, slug=uuid7().hex, path=uuid7().hex) for name in names]
    rows = [
        ProductRow(f"P-{place}", {"name": f"Product {place}"} | _PRICE) for place in range(number)
    ]
    upsert(rows, "test", None)
    keys = [UUID(str(one.id)) for one in Product.select().order_by(Product.sku)]
    for place, key in enumerate(keys):
        group = ([None, *there])[place % (groups + 1)]
        Product.update(category=group, cost_minor=400).where(Product.id == key).execute()
    return keys


@dataclass
class Seller:
    """Sells by chance, or as it is told."""

    products: list[UUID]
    chance: Random = field(default_factory=lambda: Random(7))
    paid: dict[UUID, Payment] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    back: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    def order(self, *wanted: tuple[UUID, int, int], **members: Any) -> Order:
        """Place an order of (product, pieces, price of one)."""
        made = self.draft(*wanted, **members)
        self.place([made])
        return made[0]

    def some(self) -> Order:
        """Place an order by chance."""
        made = self.draft_some()
        self.place([made])
        return made[0]

    def place(self, drafts: list[tuple[Order, list[Line]]]) -> None:
        """Write orders as checkout does, but in statements of many rows; tell of each."""
        with transaction():
            for some in chunked(drafts, 50):
                insert_models([order for order, _ in some])
                insert_models([line for _, lines in some for line in lines])
            for order, lines in drafts:
                events.publish(events.placed, order, lines=len(lines))

    def draft(
        self, *wanted: tuple[UUID, int, int], currency: str = "USD", email: str = "eve@x.example",
        shipping: int = 0, discount: int = 0, stock: str = SOLD,
    ) -> tuple[Order, list[Line]]:  # fmt: skip
        """Return an order that nobody has written yet."""
        at, goods = now(), sum(count * price for _, count, price in wanted)
        order = Order(
            id=uuid7(), number=uuid7().hex[12:], email=email, currency=currency,
            subtotal=goods, discount=discount, shipping=shipping, tax=0,
            total=goods + shipping - discount, stock=stock, created_at=at, updated_at=at,
        )  # fmt: skip
        lines = [
            Line(
                id=uuid7(), created_at=at, updated_at=at, order=order.id, place=place,
                item=product, product=product, name="It", quantity=count, unit_price=price,
                discount=discount if place == 0 else 0,
                total=count * price - (discount if place == 0 else 0),
            )
            for place, (product, count, price) in enumerate(wanted)
        ]  # fmt: skip
        return order, lines

    def draft_some(self) -> tuple[Order, list[Line]]:
        """Return an order by chance that nobody has written yet."""
        chance = self.chance
        kinds = chance.sample(self.products, chance.randint(1, min(3, len(self.products))))
        wanted = [(key, chance.randint(1, 4), chance.randint(100, 5000)) for key in kinds]
        return self.draft(
            *wanted, currency=chance.choice(("USD", "USD", "EUR", "JPY")),
            email=f"buyer{chance.randrange(400)}@x.example",
            shipping=chance.choice((0, 490)), discount=chance.choice((0, 0, 50)),
        )  # fmt: skip

    def pay(self, order: Order, amount: int | None = None) -> None:
        """Take money for an order, through the ledger."""
        self._enter(order, "capture", order.total if amount is None else amount)

    def refund(self, order: Order, amount: int) -> None:
        """Give money back."""
        self._enter(order, "refund", amount)

    def fail_refund(self, order: Order, amount: int) -> None:
        """Have money that was given back come again."""
        self._enter(order, "refund_failed", amount)

    def _enter(self, order: Order, kind: str, amount: int) -> None:
        with transaction():
            payment = self.paid.get(order.id) or self._begin(order)
            entry = LedgerEntry(
                id=uuid7(), payment=payment.id, order=order.id, kind=kind, amount=amount,
                currency=order.currency, fact=uuid7().hex, created_at=now(), updated_at=now(),
            )  # fmt: skip
            insert_models([entry])
            self.taken[order.id] += amount * (kind == "capture")
            self.back[order.id] += amount * {"refund": 1, "refund_failed": -1}.get(kind, 0)
            event = {"capture": payment_events.captured, "refund": payment_events.refunded}.get(
                kind
            )
            more = {"refund": "", "reason": ""} if kind == "refund" else {"reason": "failed"}
            more = {} if kind == "capture" else more
            payment_events.publish(event or payment_events.flagged, payment, amount, **more)
            settling.settle(
                order.id, authorized=0, captured=self.taken[order.id],
                refunded=self.back[order.id],
            )  # fmt: skip

    def _begin(self, order: Order) -> Payment:
        made = Payment(
            id=uuid7(), order=order.id, order_number=order.number,
            provider=self.chance.choice(("sandbox", "other")), currency=order.currency,
            amount=order.total, idempotency_key=uuid7().hex, fingerprint="x",
            created_at=now(), updated_at=now(),
        )  # fmt: skip
        insert_models([made])
        self.paid[order.id] = made
        return made

    def cancel(self, order: Order) -> None:
        """Cancel an order, if it can be."""
        with transaction():
            found: Any = Order.get_by_id(order.id)
            if found.status in (statuses.PENDING, statuses.CONFIRMED):
                found.stock = RELEASED
                changing.cancel(found, STAFF)

    def send_back(self, order: Order, pieces: int = 1) -> None:
        """Ship an order that is paid for, and have pieces of its first line come back."""
        with transaction():
            found: Any = Order.get_by_id(order.id)
            if found.status == statuses.CONFIRMED:
                changing.process(found, STAFF)
                changing.ship(found, STAFF)
            if found.status != statuses.SHIPPED:
                return
            line = Line.select().where(Line.order == order.id, Line.place == 0).get()
            if line.quantity - line.returned < pieces:
                return
            made = returning.request(found, STAFF, {line.id: pieces}, "no")
            returning.approve(found, made, STAFF)
            arrived = {line.id: returning.Arrived(pieces, restock=False)}
            returning.receive(found, made, STAFF, arrived)

    def day(self, orders: int, clock: Any) -> None:
        """Do by chance what happens to so many orders, in one transaction: a commit for each
        would be most of the time. The clock goes on and back meanwhile.
        """
        chance, drafts = self.chance, []
        for _ in range(orders):
            clock.move(minutes=chance.randint(-60, 300))
            drafts.append(self.draft_some())
        with transaction():
            self.place(drafts)
            for order, _ in drafts:
                kind = chance.random()
                clock.move(minutes=chance.randint(-20, 60))
                if kind < 0.1:
                    self.cancel(order)
                elif kind < 0.22:
                    self.live(order, clock)

    def live(self, order: Order, clock: Any) -> None:
        """Have an order paid for, and perhaps given back in parts, returned or cancelled."""
        chance = self.chance
        self.pay(order, order.total + (order.total if chance.random() < 0.05 else 0))
        clock.move(minutes=chance.randint(-90, 3000))
        kind = chance.random()
        if kind < 0.15:
            self.refund(order, chance.randint(1, order.total))
        elif kind < 0.2:
            self.refund(order, order.total)
        elif kind < 0.25:
            self.refund(order, order.total)
            self.fail_refund(order, order.total)
        elif kind < 0.35:
            if chance.random() < 0.5:
                self.refund(order, chance.randint(1, order.total))
                clock.move(minutes=chance.randint(-20, 600))
            self.cancel(order)
            clock.move(minutes=chance.randint(-20, 600))
            if left := self.taken[order.id] - self.back[order.id]:
                self.refund(order, left)
        elif kind < 0.45:
            self.send_back(order)


def at(text: str) -> datetime:
    """Return a moment: ``at("2026-03-29T00:30Z")``."""
    return datetime.fromisoformat(text)
