"""Making, changing, deleting and restoring products. Call these in a transaction."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import peewee

from bodega_products import events, search_index, skus, slugs, tagging, telling
from bodega_products.hookspecs import refuse_deletion
from bodega_products.models import Category, Product, Translation, Variant
from bodega_products.text import search_text, sku_key
from bodega_sdk import Money, now, setting
from bodega_sdk.bulk import portions
from bodega_sdk.errors import FieldError, InvalidInput, invalid

_AMOUNTS = (("price", "price_minor"), ("compare_at_price", "compare_at_minor"),
            ("cost", "cost_minor"))  # fmt: skip
#: Products of one statement.
_KEYS = 1000


def create_product(data: dict[str, Any]) -> Product:
    """Make a product from loaded data.

    Raises:
        InvalidInput: an amount does not fit the currency, or there is no such category.
        Conflict: the SKU or the slug is taken.
    """
    skus.hold([data["sku"]], of_variants=False)
    product = Product()
    tags = _apply(product, {"currency": setting("products.currency")} | data)
    if not product.slug:
        product.slug = slugs.free_slug(Product, product.name)
    slugs.use(Product, product.slug)
    product.save(force_insert=True)
    tagging.link(product.id, tags or ())
    search_index.keep([product.id])
    events.publish(events.product_created, product)
    return product


def change_product(product: Product, data: dict[str, Any]) -> Product:
    """Change a product by loaded data; the members that are missing stay.

    Raises:
        InvalidInput, Conflict: as :func:`create_product`.
    """
    _refuse_new_currency(product, data)
    old_slug, old_key = product.slug, product.sku_key
    tags = _apply(product, data)
    if product.slug != old_slug:
        slugs.remember(Product, product.id, old_slug, product.slug)
    product.updated_at = now()
    product.save()
    if tags is not None:
        tagging.link(product.id, tags)
    if product.sku_key != old_key:
        skus.rekey_variants(product)
    search_index.keep([product.id])
    events.publish(events.product_updated, product)
    return product


def _refuse_new_currency(product: Product, data: dict[str, Any]) -> None:
    """Refuse another currency while variants have prices in the old one."""
    if data.get("currency", product.currency) == product.currency:
        return
    if Variant.select().where(Variant.product == product.id).exists():
        message = f"Its variants have prices in {product.currency}."
        raise invalid("currency", message, data["currency"])


def delete_products(products: Iterable[Product]) -> None:
    """Delete products: they are gone for everybody, but can be restored.

    Their SKUs and slugs, and the SKUs of their variants, are free for others. Each has its
    event ``product.deleted``; of more than a thousand a job publishes them.

    Raises:
        Vetoed: an addon has a reason to keep one of them.
    """
    products = list(products)
    if not products:
        return
    refuse_deletion(tuple(product.id for product in products))
    stamp = now()
    if len(products) > telling.MOST:
        telling.tell_deletions.enqueue(deleted_at=stamp.isoformat())
    else:
        for product in products:
            events.publish(events.product_deleted, product)
    for some in portions(products, _KEYS):
        _bury([product.id for product in some], stamp)


def _bury(keys: list[UUID], stamp: datetime) -> None:
    # No SKU as it is compared begins with a blank, and no slug with a tilde.
    Product.update(
        deleted_at=stamp, updated_at=stamp, kept_slug=Product.slug,
        slug=peewee.SQL("'~' || CAST(id AS TEXT)"),
        sku_key=peewee.SQL("' ' || CAST(id AS TEXT)"),
    ).where(Product.id.in_(keys)).execute()  # fmt: skip
    Variant.update(sku_key=None).where(Variant.product.in_(keys)).execute()
    mine = (Translation.kind == "product") & Translation.target.in_(keys)
    Translation.update(slug=None).where(mine).execute()
    slugs.forget_many(Product, keys)
    search_index.keep(keys)


def restore_product(product: Product) -> Product:
    """Bring a deleted product back, with its variants, tags and prices.

    It gets its slug back if nothing has it by now, else a new one.

    Raises:
        Conflict: its SKU, or one of a variant, belongs to something else by now.
    """
    key = sku_key(product.sku)
    skus.check_product(key, product.id, product.sku)
    old = product.kept_slug or ""
    there = Product.select(Product.id).where(Product.slug == old).exists()
    product.slug = slugs.free_slug(Product, product.name) if there or not old else old
    slugs.use(Product, product.slug)
    product.sku_key, product.deleted_at, product.kept_slug = key, None, None
    product.updated_at = now()
    product.save()
    skus.rekey_variants(product)
    search_index.keep([product.id])
    events.publish(events.product_restored, product)
    return product


def _apply(product: Product, data: dict[str, Any]) -> list[Any] | None:
    """Set what was sent; return the tags, which are linked when the product is written."""
    data = dict(data)
    _apply_amounts(product, data)
    if "category" in data:
        product.category = category_of(data.pop("category"))
    if "sku" in data:
        product.sku_key = sku_key(data["sku"])
        skus.check_product(product.sku_key, product.id, data["sku"])
    if "slug" in data:
        slugs.check_slug(Product, product.id, data["slug"])
    tags = tagging.named(data.pop("tags")) if "tags" in data else None
    if tags is not None:
        product.tag_names = [tag.name for tag in tags]
    for name, value in data.items():
        setattr(product, name, value)
    product.search_text = search_text(product.name, product.sku)
    return tags


def _apply_amounts(product: Product, data: dict[str, Any]) -> None:
    """Set currency and amounts together: how many decimals are right depends on the currency."""
    known = product.price_minor is not None
    old = {name: getattr(product, name) for name, _ in _AMOUNTS} if known else {}
    product.currency = data.pop("currency", product.currency)
    for name, column in _AMOUNTS:
        if name in data:
            amount = data.pop(name)
            value = None if amount is None else minor(name, amount, product.currency)
        else:
            value = _carried(old.get(name), product.currency)
        setattr(product, column, value)


def _carried(amount: Money | None, currency: str) -> int | None:
    """Return an amount that nobody sent in minor units of the product's currency.

    Raises:
        InvalidInput: it does not fit; how much it is is not told: a cost is not for everybody.
    """
    try:
        return None if amount is None else Money.parse(str(amount), currency).minor
    except ValueError:
        message = "Its amounts do not fit this currency; send them too."
        raise invalid("currency", message, currency) from None


def minor(field: str, amount: Decimal | Money, currency: str) -> int:
    """Return an amount in minor units of a currency.

    Raises:
        InvalidInput: naming the field; it has more decimals than the currency.
    """
    try:
        return Money.parse(str(amount), currency).minor
    except ValueError as error:
        raise invalid(field, f"{error}.", str(amount)) from None


def category_of(slug: str | None) -> Category | None:
    """Return the category of a slug; None of None.

    Raises:
        InvalidInput: there is none.
    """
    if slug is None:
        return None
    found: Category | None = Category.get_or_none(Category.slug == slug)
    if found is None:
        raise invalid("category", "There is no category with this slug.", slug)
    return found


def money_filter(parameter: str, amount: Decimal, currency: str | None = None) -> int:
    """Return an amount of a filter in minor units of a currency, the shop's unless said.

    Raises:
        InvalidInput: it has more decimals than the currency.
    """
    try:
        return Money.parse(amount, currency or setting("products.currency")).minor
    except ValueError as error:
        raise InvalidInput(
            f"'{parameter}': {error}.", [FieldError(parameter, f"{error}.", str(amount))]
        ) from None
