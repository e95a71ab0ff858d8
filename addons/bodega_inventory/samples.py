"""Stock for the sample products of ``bodega sample-data``."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import peewee

from bodega_inventory.book import Cause
from bodega_inventory.companions import ProductStock
from bodega_inventory.items import Item
from bodega_inventory.models import Level, Movement, Reservation
from bodega_inventory.moving import move
from bodega_products import api as products
from bodega_sdk import SampleData, SampleRun, sample_id, sample_ids
from bodega_sdk.bulk import portions

_KIND = "products.product"


def make(run: SampleRun) -> None:
    """Receive a few pieces of each form of the sample products that were never stocked."""
    wanted = [sample_id(_KIND, number) for number in range(run.count)]
    there = {
        key for (key,) in Level.select(Level.product).where(Level.product.in_(wanted)).tuples()
    }
    forms, alive = products.forms_of(wanted), products.products_of(wanted)
    items = [
        item
        for key in wanted
        if key in alive and key not in there
        for item in _items(run, key, [one.id for one in forms.get(key, ())])
    ]
    run.found("stock levels", len(there))
    for some in portions(items, 500):
        move("receipt", some, Cause("sample data"))
        run.made("stock levels", len(some))


def _items(run: SampleRun, product: UUID, forms: Sequence[UUID]) -> Iterator[Item]:
    """Yield what there is of a product: the same each time, of some nothing."""
    draw = run.draw(f"inventory {product}")
    for form in forms or (None,):
        pieces = draw.choice((0, 2, 4, 8, 15, 40, 120))
        if pieces:
            yield Item(product, form, pieces)


def remove(run: SampleRun) -> None:
    """Take the stock of sample products away, with what moved it: it was never real."""
    for some in portions(sample_ids(_KIND)):
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
