"""SKUs: each belongs to one product or variant, without regard to case.

The two tables have a unique index each. That a product and a variant of another one do
not have the same SKU is seen to by a lock: who gives a SKU to a product shares it, who
gives one to a variant has it alone. Take it before any row.
"""

from uuid import UUID

from bodega_products.models import Product, Variant
from bodega_products.text import sku_key
from bodega_sdk import database
from bodega_sdk.errors import Conflict, FieldError

_LOCK = 0x736B75735F707264


def hold(*, of_variants: bool) -> None:
    """Hold the lock until the commit; SQLite has one writer anyway."""
    if database.obj.for_update:
        shared = "" if of_variants else "_shared"
        database.obj.execute_sql(f"SELECT pg_advisory_xact_lock{shared}(%s)", (_LOCK,))


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
