"""Whose points they are: products by id or SKU, and the series that points belong to."""

from collections.abc import Iterable
from uuid import UUID

import peewee

from bodega_products import api as products
from bodega_pulses.batches import MOST_ERRORS, Batch, refused
from bodega_pulses.models import Series
from bodega_pulses.partitions import partitioned
from bodega_sdk import database, locked, setting, transaction
from bodega_sdk.bulk import among
from bodega_sdk.errors import Conflict, FieldError

#: Two numbers that stand for the numbers of series among PostgreSQL's advisory locks.
_LOCK = "1886743667, 3"
Key = tuple[UUID, str, str]


def keys_of(batch: Batch) -> list[Key]:
    """Return the product's id, unit and source of each head of a batch.

    Raises:
        InvalidInput: there is no such product; naming the points.
    """
    texts = {head[0] for head in batch.heads}
    found = _products(texts)
    lacking = [place for place, head in enumerate(batch.heads) if head[0] not in found]
    if lacking:
        raise refused(_faults(batch, lacking))
    return [(found[product], unit, source) for product, unit, source in batch.heads]


def keys_named(batch: Batch) -> list[Key]:
    """Return what :func:`keys_of` does; of ids, before anybody has looked whether they exist.

    Raises:
        InvalidInput: there is no product with such a SKU; naming the points.
    """
    ids = {head[0]: _uuid(head[0]) for head in batch.heads}
    found = {text: key for text, key in ids.items() if key is not None}
    if len(found) < len(ids):
        return keys_of(batch)
    return [(found[product], unit, source) for product, unit, source in batch.heads]


def _products(texts: Iterable[str]) -> dict[str, UUID]:
    ids = {text: key for text in texts if (key := _uuid(text)) is not None}
    known = products.existing(ids.values())
    found = {text: key for text, key in ids.items() if key in known}
    # A variant is no product; what is measured of one belongs to its product by id.
    skus = products.items_of_skus(text for text in texts if text not in ids)
    return found | {sku: key for sku, (key, variant) in skus.items() if variant is None}


def _uuid(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    # Python reads braces and more, which are a SKU to us.
    return found if str(found) == text.lower() else None


def _faults(batch: Batch, heads: list[int]) -> list[FieldError]:
    found: list[FieldError] = []
    for head in heads:
        for place in batch.places_of(head):
            told = "There is no product with this id or SKU."
            found.append(FieldError(batch.named(place, "product"), told, batch.heads[head][0]))
            if len(found) >= MOST_ERRORS:
                return found
    return found


class SeriesLacking(Exception):
    """There are no such series yet; whoever makes them must hold none meanwhile."""

    def __init__(self, keys: set[Key]) -> None:
        super().__init__()
        self.keys = keys


def known(keys: Iterable[Key]) -> dict[Key, int]:
    """Return the numbers of series; those that there are not lack."""
    wanted = set(keys)
    query = Series.select(Series.product, Series.unit, Series.source, Series.number)
    query = query.where(among(Series.product, {key[0] for key in wanted}))
    rows = ((row[:3], row[3]) for row in query.tuples())
    return {key: number for key, number in rows if key in wanted}


def make(keys: Iterable[Key]) -> None:
    """Make series, in a transaction of their own; of one that is there, nothing.

    Raises:
        Conflict: there would be more series than may be.
    """
    with transaction():
        # One after the other, so that numbers are dense; series are made once in a while.
        if partitioned():
            database.execute_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        lacking = sorted(set(keys).difference(known(keys)), key=_in_order)
        newest = Series.select(peewee.fn.MAX(Series.number)).scalar() or 0
        count, most = Series.select().count() + len(lacking), setting("pulses.most_series")
        if count > most:
            raise Conflict(
                f"There would be {count:,} series, and {most:,} are the most that may be: "
                "raise the setting pulses.most_series, or send fewer units and sources."
            )
        for number, (product, unit, source) in enumerate(lacking, newest + 1):
            Series.create(number=number, product=product, unit=unit, source=source)


def _in_order(key: Key) -> tuple[int, str, str]:
    return key[0].int, key[1], key[2]


def hold(numbers: Iterable[int]) -> None:
    """Hold series until the commit, in one order."""
    query = Series.select(Series.number).where(among(Series.number, list(numbers)))
    list(locked(query.order_by(Series.number)).tuples())
