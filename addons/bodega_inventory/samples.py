"""Stock for the sample products of ``bodega sample-data``."""

import peewee

from bodega_inventory.book import Cause
from bodega_inventory.companions import ProductStock
from bodega_inventory.items import Item
from bodega_inventory.models import Level, Movement, Reservation
from bodega_inventory.moving import move
from bodega_inventory.portions import KEYS, portions
from bodega_products import api as products
from bodega_sdk import SampleData, SampleRun, sample_id, sample_ids

_KIND = "products.product"


def make(run: SampleRun) -> None:
    """Receive a few pieces of each sample product that was never stocked."""
    wanted = [sample_id(_KIND, number) for number in range(run.count)]
    there = {
        key for (key,) in Level.select(Level.product).where(Level.product.in_(wanted)).tuples()
    }
    draw = run.draw("inventory.stock")
    pieces = {key: draw.choice((0, 2, 4, 8, 15, 40, 120)) for key in wanted}
    alive = products.products_of(wanted)
    items = [Item(k, None, n) for k, n in pieces.items() if k in alive and k not in there and n]
    run.found("stock levels", len(there))
    for some in portions(items, 500):
        move("receipt", some, Cause("sample data"))
        run.made("stock levels", len(some))


def remove(run: SampleRun) -> None:
    """Take the stock of sample products away, with what moved it: it was never real."""
    for some in portions(sample_ids(_KIND), KEYS):
        gone = Level.delete().where(Level.product.in_(some)).execute()
        run.made("stock levels", gone)
        Reservation.delete().where(Reservation.product.in_(some)).execute()
        # Past what the ledger allows.
        peewee.ModelDelete(Movement).where(Movement.product.in_(some)).execute()
        ProductStock.delete().where(ProductStock.id.in_(some)).execute()


def others() -> int:
    """Count movements that are of no sample product."""
    wanted = set(sample_ids(_KIND))
    found = Movement.select(Movement.product).distinct().tuples()
    return sum(key not in wanted for (key,) in found)


SAMPLES = SampleData(make, remove, others)
