"""What inventory adds to products and variants."""

from collections.abc import Iterable, Mapping
from typing import Any

from bodega_inventory.companions import ProductStock, VariantStock
from bodega_inventory.items import LARGEST
from bodega_sdk import Extension
from bodega_sdk.schemas import Boolean, Integer, Schema


class StockSchema(Schema):
    """What there is of something."""

    stock = Integer(
        minimum=-LARGEST, maximum=LARGEST,
        metadata={"description": "Pieces that can be had; of a product with stocked variants "
                  "their sum. Writing it moves the difference as an adjustment.",
                  "write_permission": "inventory.write"},
    )  # fmt: skip
    in_stock = Boolean(dump_only=True, metadata={"description": "Whether it can be had."})
    low_stock = Boolean(dump_only=True, metadata={"description": "Whether little is left."})
    backorder = Boolean(
        dump_only=True, metadata={"description": "Whether more can be had than is there."}
    )


class StockExtension(Extension):
    """An extension whose figures follow from what is written."""

    def take(
        self, row: Any, data: Mapping[str, Any], *, whole: bool, spared: Iterable[str] = ()
    ) -> None:
        """Write the stock, if it was sent, and show what came of it."""
        super().take(row, data, whole=False, spared=spared)
        setattr(row, self.attribute, self.model.read(row.id))


_FILTERS = ("stock", "in_stock", "low_stock", "backorder")
_SHORT = {"in_stock": "in_stock", "low_stock": "low_stock"}
EXTENSIONS = tuple(
    StockExtension(model, StockSchema, _FILTERS, ("stock",), short=_SHORT)
    for model in (ProductStock, VariantStock)
)
