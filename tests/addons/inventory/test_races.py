"""Many at once: the ledger's sum is the stock, and nothing is promised twice."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import peewee
import pytest

from bodega.settings import Settings
from bodega_inventory import api, checking
from bodega_inventory.api import Item, OutOfStock
from bodega_inventory.models import Level, Movement, Reservation
from bodega_inventory.reading import hold, sums
from bodega_sdk import now, transaction
from bodega_sdk.errors import Conflict

THREADS, OPERATIONS = 8, 10_000
WAITED = ("database is locked", "lock timeout")


def agree() -> None:
    """Assert that ledger, levels, reservations and figures agree, and nothing is below zero."""
    assert list(checking.check()) == []
    for level in Level.select():
        on_hand, reserved = sums([level.id])[level.id]
        assert level.available == on_hand - reserved
        lowest = 0 if not level.backorder else -level.backorder_limit
        assert level.available >= lowest
        assert level.reserved >= 0
    for line in Movement.select().where(Movement.available < 0):
        assert Level.get_by_id(line.item).backorder


class Somebody:
    """Does things with stock by chance."""

    def __init__(self, seed: int, items: list[Item]) -> None:
        self.chance, self.items, self.name = random.Random(seed), items, f"somebody {seed}"
        self.held: list[str] = []
        self.refused = 0

    def act(self, number: int) -> None:
        """Do one thing."""
        some = self.chance.sample(self.items, self.chance.randint(1, 3))
        wanted = [Item(i.product, i.variant, self.chance.randint(1, 5)) for i in some]
        what = self.chance.random()
        while True:
            try:
                return self._do(what, wanted, f"{self.name} {number}")
            except OutOfStock:
                self.refused += 1
                return None
            except peewee.OperationalError as error:
                # Who waited too long for the others, on a busy machine, asks again. A
                # deadlock is another matter.
                if not any(words in str(error) for words in WAITED):
                    raise

    def _do(self, what: float, wanted: list[Item], reference: str) -> None:
        if what < 0.25:
            api.receive(wanted, key=reference)
        elif what < 0.40:
            api.sell(wanted)
        elif what < 0.65:
            ends = now() + timedelta(seconds=self.chance.choice((-1, 600)))
            self.held.append(api.reserve(wanted, reference, ends).reference)
        elif what < 0.75 and self.held:
            api.release(self.held.pop())
        elif what < 0.90 and self.held:
            api.commit(self.held.pop(0))
        else:
            api.adjust([Item(i.product, i.variant, i.quantity - 6) for i in wanted])


def stocked(store: Any) -> list[Item]:
    """Return items of every kind: whole products, forms of one, and one with backorder."""
    items = [*(store.item() for _ in range(4)), *store.forms("S", "M", "L")]
    api.receive([Item(one.product, one.variant, 20) for one in items])
    Level.update(backorder=True, backorder_limit=10).where(Level.id == items[0].id).execute()
    return items


def test_a_reference_that_is_used_again_while_it_is_released_is_whole(
    store: Any, at_once: Callable[..., Any]
) -> None:
    lamp, chair = store.item(), store.item()
    api.receive([lamp, chair])
    api.release(api.reserve([lamp], "cart-1"))
    held = threading.Event()

    def stand_in_the_way() -> None:
        with transaction():
            hold([lamp.product])
            held.set()
            time.sleep(1)

    def release() -> None:
        held.wait(10)
        api.release("cart-1")

    def reserve() -> None:
        held.wait(10)
        time.sleep(0.4)
        api.reserve([chair], "cart-1")

    assert at_once(stand_in_the_way, release, reserve) == [None] * 3
    agree()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_operations_of_eight_threads_keep_the_sum(
    store: Any, at_once: Callable[..., Any]
) -> None:
    work(store, at_once, OPERATIONS)


def test_a_few_hundred_operations_of_eight_threads_keep_the_sum(
    store: Any, at_once: Callable[..., Any]
) -> None:
    work(store, at_once, 400)


def work(store: Any, at_once: Callable[..., Any], operations: int) -> None:
    items = stocked(store)
    people = [Somebody(number, items) for number in range(THREADS)]

    def go(one: Somebody) -> Callable[[], None]:
        def run() -> None:
            for number in range(operations // THREADS):
                one.act(number)

        return run

    outcomes = at_once(*(go(one) for one in people), wait=580)
    assert outcomes == [None] * THREADS
    assert any(one.refused for one in people)
    agree()


def test_of_two_hundred_reservations_of_ten_units_ten_are_given(
    store: Any, at_once: Callable[..., Any]
) -> None:
    item = store.item(10)
    api.receive([item])
    one = [Item(item.product)]

    def try_some(number: int) -> Callable[[], list[bool]]:
        return lambda: [_given(one, f"cart-{number}-{n}") for n in range(25)]

    outcomes = at_once(*(try_some(number) for number in range(THREADS)))
    assert sum(given for some in outcomes for given in some) == 10
    assert Reservation.select().count() == 10
    level = store.level(item)
    assert (level.on_hand, level.reserved, level.available) == (10, 10, 0)
    agree()


def _given(items: list[Item], reference: str) -> bool:
    try:
        api.reserve(items, reference)
    except OutOfStock:
        return False
    return True


def test_the_same_reference_at_once_is_reserved_once(
    store: Any, at_once: Callable[..., Any]
) -> None:
    lamp, chair = store.item(10), store.item(10)
    api.receive([lamp, chair])
    wanted = [[lamp], [chair]] * 4
    outcomes = at_once(*(lambda i=i: api.reserve(i, "cart-1") for i in wanted))
    held = [one for one in outcomes if not isinstance(one, Exception)]
    assert len(held) == 4
    assert all(isinstance(one, Conflict) for one in outcomes if one not in held)
    assert Reservation.select().count() == 1
    agree()


def test_two_who_take_the_same_items_in_another_order_do_not_wait_for_ever(
    store: Any, at_once: Callable[..., Any]
) -> None:
    items = [store.item() for _ in range(6)]

    def take(backwards: bool) -> Callable[[], None]:
        def run() -> None:
            for _ in range(20):
                api.receive(items[::-1] if backwards else items)

        return run

    assert at_once(*(take(number % 2 == 0) for number in range(4))) == [None] * 4
    assert {level.on_hand for level in Level.select()} == {80}


_PROCESS = """
import sys
from pathlib import Path
from bodega.http.app import build_app
from bodega.shop import Shop
from bodega_inventory.api import Item, OutOfStock, reserve
from bodega_sdk.runtime import bound
from bodega_sdk.testing.shop import settings_for
from uuid import UUID

home, url, product, name = sys.argv[1:]
shop = Shop(settings_for(Path(home), url), build_app, connections=2)
shop.refresh()
given = 0
with bound(shop.current):
    for number in range(50):
        try:
            reserve([Item(UUID(product))], f"{name} {number}")
            given += 1
        except OutOfStock:
            pass
shop.databases.close()
print(given)
"""


@pytest.mark.slow
def test_of_two_hundred_reservations_of_four_processes_ten_are_given(
    store: Any, settings: Settings
) -> None:
    item = store.item(10)
    api.receive([item])
    told = [str(settings.home), settings.database_url, str(item.product)]
    started = [
        subprocess.Popen([sys.executable, "-c", _PROCESS, *told, f"process {number}"],
                         stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]  # fmt: skip
    given = [int(process.communicate(timeout=100)[0]) for process in started]
    assert sum(given) == 10, given
    assert store.level(item).available == 0
    agree()
