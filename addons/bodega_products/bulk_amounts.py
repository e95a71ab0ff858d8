"""Products that are there and differ from a table in amounts alone: what most feeds change.

Nothing can be wrong with such a row, nobody finds its product by other words, and what it had
been is a few numbers: it is not looked at one by one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import peewee

from bodega_products.models import Product
from bodega_products.search_models import in_one_value
from bodega_sdk import database

#: Fields that are amounts: prices, sizes, switches.
AMOUNTS = (
    "price_minor", "compare_at_minor", "cost_minor", "is_active", "is_featured", "is_digital",
    "weight_grams", "length_millimetres", "width_millimetres", "height_millimetres",
)  # fmt: skip
#: Fields of which something more is asked than whether they differ.
_ASKED = {"slug", "currency"}


class Amounts(NamedTuple):
    """A product's amounts.

    Args:
        id: of the product.
        before: its SKU and what its amounts are, by field.
        after: what they shall be, in the order of :func:`amounts_of`.
    """

    id: UUID
    before: dict[str, Any]
    after: tuple[Any, ...]


def amounts_of(fields: Sequence[str]) -> tuple[str, ...]:
    """Return which fields of a table are amounts; none where each row has to be looked at."""
    if _ASKED & set(fields):
        return ()
    return tuple(name for name in fields if name in AMOUNTS)


def differing(
    table: str, meant: Mapping[str, str], unlike: Mapping[str, str], places: Sequence[int]
) -> dict[int, Amounts]:
    """Return the rows of a table that differ in amounts alone, by place; lock these places.

    Call it in the transaction that writes them, before other products are locked.

    Args:
        table: of :func:`bodega_sdk.bulk.staged`, with ``sku_key``; it is called ``staged`` in
            what follows, and the products ``item``.
        meant: the fields, and SQL of what they shall be.
        unlike: the fields and ``sku``, and SQL of whether they differ.
        places: of rows whose products are there.
    """
    names = amounts_of(tuple(meant))
    if not names or not places:
        return {}
    fields = [Product._meta.fields[name] for name in names]
    columns = [f"item.{field.column_name}" for field in fields]
    columns += [meant[name] for name in names]
    others = [condition for name, condition in unlike.items() if name not in names]
    among, values = in_one_value([str(place) for place in places], "int")
    rows = database.execute_sql(
        f"SELECT staged.place, item.id, item.taken_down_at IS NOT NULL OR "
        f"{' OR '.join(others)}, item.sku, {', '.join(columns)} FROM {table} AS staged "
        "JOIN products_product item ON item.sku_key = staged.sku_key "
        f"WHERE staged.place {among} AND ({' OR '.join(unlike.values())}) ORDER BY item.id"
        f"{' FOR UPDATE OF item' if database.obj.for_update else ''}", values
    ).fetchall()  # fmt: skip
    switches = [at for at, field in enumerate(fields) if isinstance(field, peewee.BooleanField)]
    to_id, count, said = Product.id.python_value, len(names), ("sku", *names)
    found: dict[int, Amounts] = {}
    for place, key, other, sku, *amounts in rows:
        if other:
            continue
        for at in switches:  # Numbers to SQLite.
            amounts[at], amounts[count + at] = bool(amounts[at]), bool(amounts[count + at])
        before = dict(zip(said, (sku, *amounts[:count]), strict=True))
        found[place] = Amounts(to_id(key), before, tuple(amounts[count:]))
    return found
