"""Variants: the forms that a product comes in. Call these in a transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from peewee import fn

from bodega_products import events, skus
from bodega_products.catalogue import minor
from bodega_products.models import Product, Variant
from bodega_products.text import options_key
from bodega_sdk import now
from bodega_sdk.errors import Conflict, FieldError, invalid

#: Variants of one product.
MOST = 2048
#: The largest position.
LAST = 2**31 - 1


def product_of(key: UUID) -> Product:
    """Return the product that variants are to belong to, locked until the commit.

    Raises:
        InvalidInput: there is none.
    """
    found = Product.find(key, lock=True)
    if found is None or found.deleted_at is not None:
        raise invalid("product", "There is no product with this id.", str(key))
    return found


def create_variant(product: Product, data: Mapping[str, Any]) -> Variant:
    """Make a variant of a product, which is locked, from loaded data.

    Raises:
        Conflict: the SKU, the options or the position is taken.
        InvalidInput: its price does not fit the currency, or there are too many.
    """
    number, last = (
        Variant.select(fn.COUNT(Variant.id), fn.MAX(Variant.position))
        .where(Variant.product == product.id)
        .tuples()
        .first()
    )
    if number >= MOST:
        raise invalid("product", f"A product has {MOST:,} variants at most.", str(product.id))
    if last == LAST and data.get("position") is None:
        message = "Another variant has the last position there is; say which one this has."
        raise Conflict(f"'position': {message}", [FieldError("position", message)])
    variant = Variant(product=product, position=min((last or 0) + 1, LAST), options={})
    _apply(variant, product, {"price": None} | dict(data))
    variant.save(force_insert=True)
    events.publish_variant(events.variant_created, variant, product)
    return variant


def change_variant(variant: Variant, product: Product, data: Mapping[str, Any]) -> Variant:
    """Change a variant by loaded data; the members that are missing stay.

    Raises:
        Conflict, InvalidInput: as :func:`create_variant`, or it is to change its product.
    """
    _apply(variant, product, dict(data))
    variant.updated_at = now()
    variant.save()
    events.publish_variant(events.variant_updated, variant, product)
    return variant


def delete_variant(variant: Variant, product: Product) -> None:
    """Delete a variant."""
    events.publish_variant(events.variant_deleted, variant, product)
    variant.delete_instance()


def _apply(variant: Variant, product: Product, data: dict[str, Any]) -> None:
    if data.pop("product", product.id) != product.id:
        raise invalid("product", "A variant stays with its product.")
    if "price" in data:
        price = data.pop("price")
        variant.has_price = price is not None
        variant.price_minor = (
            product.price_minor if price is None else minor("price", price, product.currency)
        )
    if "sku" in data:
        variant.sku_key = skus.key_of_variant(variant.id, product, data["sku"])
    position = data.pop("position", None)
    if position is not None:
        _refuse_position(variant, product, position)
        variant.position = position
    for name, value in data.items():
        setattr(variant, name, value)
    variant.options_key = options_key(variant.options or {})
    _refuse_options(variant, product)


def _refuse_options(variant: Variant, product: Product) -> None:
    same = Variant.select(Variant.id).where(
        Variant.product == product.id,
        Variant.options_key == variant.options_key,
        Variant.id != variant.id,
    )
    if same.exists():
        message = "Another variant of this product has these options already."
        found = str(variant.options)
        raise Conflict(f"'options': {message}", [FieldError("options", message, found)])


def _refuse_position(variant: Variant, product: Product, position: int) -> None:
    same = Variant.select(Variant.id).where(
        Variant.product == product.id, Variant.position == position, Variant.id != variant.id
    )
    if same.exists():
        message = "Another variant of this product has this position already."
        raise Conflict(f"'position': {message}", [FieldError("position", message, position)])
