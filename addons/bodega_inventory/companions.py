"""What products and variants show of their stock, in tables of their own."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import peewee

from bodega_sdk import Companion, extends
from bodega_sdk.bulk import insert_or_update
from bodega_sdk.errors import invalid

_FIGURES = ("stock", "in_stock", "low_stock", "backorder")


class _Shown(Companion):
    """The figures that follow from levels; what is written to them moves the levels."""

    stock: Any
    in_stock: Any
    low_stock: Any
    backorder: Any
    #: Sets the stock of items, each kind in its own way.
    set_stock: Any

    @classmethod
    def put(cls, figures: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Write figures down by id; for the book alone."""
        rows = ((key, *(figures[key][name] for name in _FIGURES)) for key in sorted(figures))
        insert_or_update(cls, ("id", *_FIGURES), rows, key="id", update=_FIGURES)

    @classmethod
    def write(cls, key: UUID, **values: Any) -> None:
        """Set what is available of an item, by an adjustment in the ledger."""
        cls.write_many({key: values})

    @classmethod
    def write_many(cls, rows: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Set what is available of many items, by adjustments in the ledger."""
        wanted = {key: values["stock"] for key, values in rows.items() if "stock" in values}
        if wanted:
            cls.set_stock(wanted)

    @classmethod
    def loaded(cls, data: Mapping[str, Any], key: UUID | None) -> dict[str, Any]:
        """Return the stock to set.

        Raises:
            InvalidInput: it is below zero, or a sum that is not set itself.
        """
        wanted = data.get("stock")
        if wanted is None or (key is not None and wanted == cls.read(key).stock):
            return {}
        if wanted < 0:
            raise invalid("stock", "Must be at least 0.", wanted)
        if key is not None:
            cls.check(key)
        return {"stock": wanted}

    @classmethod
    def check(cls, key: UUID) -> None:
        """Refuse what cannot be set itself."""


class ProductStock(_Shown):
    """What a product shows; whoever moves stock of it holds this row."""

    id: Any = extends("products.product")
    stock: Any = peewee.BigIntegerField(default=0, index=True)
    in_stock: Any = peewee.BooleanField(default=False, index=True)
    low_stock: Any = peewee.BooleanField(default=False, index=True)
    backorder: Any = peewee.BooleanField(default=False)

    class Meta:
        """Peewee's options."""

        table_name = "inventory_product_stock"

    @classmethod
    def check(cls, key: UUID) -> None:
        """Refuse to set the sum of its variants.

        Raises:
            InvalidInput: variants of it are stocked.
        """
        # As below.
        from bodega_inventory.stocktaking import refuse_sum

        refuse_sum(key)

    @classmethod
    def set_stock(cls, wanted: Mapping[UUID, int]) -> None:
        """Set the stock of products that come in one form."""
        # The book, which moves stock, writes this table: at the top it would be a circle.
        from bodega_inventory.stocktaking import set_products

        set_products(wanted)


class VariantStock(_Shown):
    """What a variant shows."""

    id: Any = extends("products.variant")
    stock: Any = peewee.BigIntegerField(default=0, index=True)
    in_stock: Any = peewee.BooleanField(default=False)
    low_stock: Any = peewee.BooleanField(default=False)
    backorder: Any = peewee.BooleanField(default=False)

    class Meta:
        """Peewee's options."""

        table_name = "inventory_variant_stock"

    @classmethod
    def set_stock(cls, wanted: Mapping[UUID, int]) -> None:
        """Set the stock of variants."""
        # As above.
        from bodega_inventory.stocktaking import set_variants

        set_variants(wanted)
