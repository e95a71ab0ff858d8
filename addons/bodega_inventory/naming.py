"""What items are called: names and SKUs, of many at once."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from bodega_products import api as products


def named(rows: Iterable[Any]) -> dict[UUID, tuple[str, str]]:
    """Return name and SKU of the items that rows are about, by the items' ids.

    Args:
        rows: levels, movements or reservations.
    """
    rows = list(rows)
    found = products.products_of({row.product for row in rows})
    forms = {row.variant for row in rows} - {None}
    variants = products.variants_of(forms) if forms else {}
    told: dict[UUID, tuple[str, str]] = {}
    for row in rows:
        product, variant = found.get(row.product), variants.get(row.variant)
        sku = (variant.sku if variant else "") or (product.sku if product else "")
        told[row.variant or row.product] = (product.name if product else "", sku)
    return told
