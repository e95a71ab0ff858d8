"""SKUs: each belongs to one product or variant, without regard to case.

The two tables have a unique index each. That a product and a variant of another one do
not have the same SKU is seen to by locks, one for a sixty-fourth of all SKUs: who gives a
SKU to a product shares its lock, who gives it to a variant has it alone. Take all that are
needed at once, before any row.
"""

from collections.abc import Iterable
from uuid import UUID
from zlib import crc32

from bodega_products.models import Product, Variant
from bodega_products.text import sku_key
from bodega_sdk import database
from bodega_sdk.errors import Conflict, FieldError

_LOCK, _PARTS = 0x736B7573, 64


def hold(skus: Iterable[str] | None, *, of_variants: bool) -> None:
    """Hold the locks of SKUs until the commit; SQLite has one writer anyway.

    Args:
        skus: as they are sent; None for all there are.
        of_variants: whether variants are to get them.
    """
    hold_keys(None if skus is None else map(sku_key, skus), of_variants=of_variants)


def hold_keys(skus: Iterable[str] | None, *, of_variants: bool) -> None:
    """Hold the locks of SKUs as :func:`hold` does; they are given as they are compared."""
    if not database.obj.for_update:
        return
    keys = None if skus is None else {*skus} - {""}
    parts = range(_PARTS) if keys is None else {crc32(key.encode()) % _PARTS for key in keys}
    lock = f"pg_advisory_xact_lock{'' if of_variants else '_shared'}"
    sql = f"SELECT {lock}(%s, part) FROM unnest(%s::int[]) AS part"
    database.obj.execute_sql(sql, (_LOCK, sorted(parts)))


def check_product(key: str, product: UUID | None, sku: str) -> None:
    """Refuse a SKU that another product, or a variant of another product, has.

    Raises:
        Conflict: somebody has it.
    """
    others = Product.select(Product.id).where(Product.sku_key == key)
    of_variants = Variant.select(Variant.id).where(Variant.sku_key == key)
    if product is not None:
        others = others.where(Product.id != product)
        of_variants = of_variants.where(Variant.product != product)
    if others.exists():
        raise taken(sku, "product")
    if of_variants.exists():
        raise taken(sku, "variant")


def key_of_variant(variant: UUID, product: Product, sku: str) -> str | None:
    """Return what a variant's SKU is compared by; None where it is its product's own.

    Raises:
        Conflict: another product or variant has it.
    """
    key = sku_key(sku)
    if not key or key == product.sku_key:
        return None
    if Product.select(Product.id).where(Product.sku_key == key).exists():
        raise taken(sku, "product")
    same = Variant.select(Variant.id).where(Variant.sku_key == key, Variant.id != variant)
    if same.exists():
        raise taken(sku, "variant")
    return key


def rekey_variants(product: Product) -> None:
    """Say again what the variants' SKUs are compared by, behind a change of the product's.

    Raises:
        Conflict: one of them belongs to another product or variant meanwhile.
    """
    for variant in Variant.select().where(Variant.product == product.id):
        wanted = sku_key(variant.sku) or None
        if wanted == product.sku_key:
            wanted = None
        if wanted == variant.sku_key:
            continue
        same = Variant.select().where(Variant.product == product.id, Variant.sku_key == wanted)
        if wanted is not None and same.exists():
            continue
        key = key_of_variant(variant.id, product, variant.sku) if wanted else None
        Variant.update(sku_key=key).where(Variant.id == variant.id).execute()


def taken(sku: str, by: str) -> Conflict:
    """Return the error that somebody has a SKU already."""
    message = f"Another {by} has this sku already."
    return Conflict(f"'sku': {message}", [FieldError("sku", message, sku)])
