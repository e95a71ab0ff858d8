"""What other addons may call."""

from bodega_products.bulk import upsert
from bodega_products.bulk_rows import Change, Outcome, Picture, ProductRow, ProductTable
from bodega_products.exporting import (
    ExportColumn,
    ProductRows,
    checked_columns,
    checked_filters,
    export_columns,
)
from bodega_products.facts import (
    ProductFacts,
    VariantFacts,
    add_popularity,
    categories_of,
    existing,
    exists_sql,
    forms_of,
    is_sold,
    items_of_skus,
    products_of,
    refresh_statistics,
    variants_of,
)
from bodega_products.joining import counts, with_categories, with_prices
from bodega_products.pricing import PriceFacts, facts_of
from bodega_products.quoting import Quote, quote
from bodega_products.search_answers import SearchAnswer, SearchQuery
from bodega_products.selling import Offer, Wanted, offers
from bodega_products.text import sku_key
from bodega_products.undoing import undo
from bodega_products.withholding import withheld

__all__ = [
    "Change",
    "ExportColumn",
    "Offer",
    "Outcome",
    "Picture",
    "PriceFacts",
    "ProductFacts",
    "ProductRow",
    "ProductRows",
    "ProductTable",
    "Quote",
    "SearchAnswer",
    "SearchQuery",
    "VariantFacts",
    "Wanted",
    "add_popularity",
    "categories_of",
    "checked_columns",
    "checked_filters",
    "counts",
    "existing",
    "exists_sql",
    "export_columns",
    "facts_of",
    "forms_of",
    "is_sold",
    "items_of_skus",
    "offers",
    "products_of",
    "quote",
    "refresh_statistics",
    "sku_key",
    "undo",
    "upsert",
    "variants_of",
    "with_categories",
    "with_prices",
    "withheld",
]
