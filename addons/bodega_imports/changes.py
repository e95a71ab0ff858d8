"""What imports changed, kept for a while so that it can be undone."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson
import peewee

from bodega_imports.models import Import
from bodega_products import api as products
from bodega_sdk import Model, UTCDateTimeField
from bodega_sdk.bulk import insert_rows


class ChangedProduct(Model):
    """A product that an import made or changed.

    ``stamp`` is its ``updated_at`` from then on; ``before`` is what it had been, as JSON, and
    empty when it was made; ``conflict`` says why it could not be undone.
    """

    id: Any = peewee.BigAutoField()
    run: Any = peewee.ForeignKeyField(Import, on_delete="CASCADE", index=False)
    product: Any = peewee.UUIDField()
    stamp: Any = UTCDateTimeField()
    before: Any = peewee.TextField(default="")
    conflict: Any = peewee.TextField(default="")

    class Meta:
        """Peewee's options."""

        table_name = "imports_change"
        indexes = ((("run", "id"), False),)


def remember(run: Import, changes: Iterable[products.Change]) -> None:
    """Keep what an import changed, in the transaction that changes it."""
    # Those that were written together have one stamp.
    for stamp, some in groupby(changes, key=attrgetter("stamp")):
        rows = [
            (item.product, "" if item.before is None else orjson.dumps(item.before).decode())
            for item in some
        ]
        same = {"run": run.id, "conflict": "", "stamp": stamp}
        insert_rows(ChangedProduct, ("product", "before"), rows, same=same)


def change_of(row: ChangedProduct) -> products.Change:
    """Return a change as products take it."""
    before = orjson.loads(row.before) if row.before else None
    return products.Change(row.product, row.stamp, before)
