"""What other addons may call."""

from bodega_products.bulk import Outcome, ProductRow, upsert
from bodega_products.text import sku_key

__all__ = ["Outcome", "ProductRow", "sku_key", "upsert"]
