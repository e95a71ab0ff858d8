"""What other addons may call."""

from bodega_products.bulk import Outcome, ProductRow, upsert
from bodega_products.pricing import PriceFacts, facts_of
from bodega_products.quoting import Quote, quote
from bodega_products.text import sku_key

__all__ = ["Outcome", "PriceFacts", "ProductRow", "Quote", "facts_of", "quote", "sku_key", "upsert"]
