"""Sample views of the sample products; and sample orders, which tell nobody, are counted."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import peewee

from bodega_analytics import counting
from bodega_analytics.adding import add_interest
from bodega_analytics.models import SLOT, Interest, State
from bodega_analytics.slots import slot_of
from bodega_products import api as products
from bodega_sdk import SampleData, SampleRun, now, sample_id, sample_ids
from bodega_sdk.bulk import among, portions

_DAYS = 60
_KEYS = 500
#: What no addon is called: sums made of it are made anew by the next ``analytics.catch_up``.
_STALE = "-"


def declared() -> list[SampleData]:
    """Return what makes them, and takes them away."""
    return [SampleData(_make, _remove)]


def _make(run: SampleRun) -> None:
    _count_orders_anew()
    wanted = [sample_id("products.product", number) for number in range(run.count)]
    if seen := _views(wanted):
        run.found("views", seen)
        return
    for number, product in enumerate(products.products_of(wanted)):
        _look(run, number, product)


def _count_orders_anew() -> None:
    counting.hold()
    State.update(sources=_STALE).where(State.id == 1).execute()


def _views(keys: Iterable[UUID]) -> int:
    """Return how often products were looked at."""
    mine = among(Interest.product, keys) & (Interest.span == SLOT)
    query = Interest.select(peewee.fn.SUM(Interest.views).coerce(False))
    return int(query.where(mine).scalar() or 0)


def _look(run: SampleRun, number: int, product: UUID) -> None:
    """Have a product looked at on some days, and now and then put into a cart."""
    chance = run.draw(f"analytics.views {number}")
    found: dict[tuple[int, UUID], dict[str, int]] = {}
    for _ in range(chance.randint(1, 8)):
        at = slot_of(now() - timedelta(minutes=chance.randrange(_DAYS * 24 * 60)))
        views = chance.randint(1, 30)
        found[at, product] = {"views": views, "carted": views // chance.randint(4, 20)}
    add_interest(found)
    run.made("views", sum(one["views"] for one in found.values()))


def _remove(run: SampleRun) -> None:
    _count_orders_anew()
    for some in portions(sample_ids("products.product"), _KEYS):
        keys = list(some)
        run.made("views", _views(keys))
        Interest.delete().where(among(Interest.product, keys)).execute()
