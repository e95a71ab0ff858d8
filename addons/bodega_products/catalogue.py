"""Making, changing and deleting products and categories. Call these in a transaction."""

from decimal import Decimal
from typing import Any

from bodega_products import events
from bodega_products.hookspecs import refuse_deletion
from bodega_products.models import Category, Product, Variant
from bodega_products.text import search_text, sku_key, slugify
from bodega_sdk import Money, now, setting
from bodega_sdk.errors import Conflict, FieldError, InvalidInput, invalid


def create_product(data: dict[str, Any]) -> Product:
    """Make a product from loaded data.

    Raises:
        InvalidInput: an amount does not fit the currency, or there is no such category.
        Conflict: the SKU or the slug is taken.
    """
    product = Product()
    _apply(product, {"currency": setting("products.currency")} | data)
    if not product.slug:
        product.slug = _free_slug(Product, product.name)
    product.save(force_insert=True)
    events.publish(events.product_created, product)
    return product


def change_product(product: Product, data: dict[str, Any]) -> Product:
    """Change a product by loaded data; the members that are missing stay.

    Raises:
        InvalidInput, Conflict: as :func:`create_product`.
    """
    _refuse_new_currency(product, data)
    _apply(product, data)
    product.updated_at = now()
    product.save()
    events.publish(events.product_updated, product)
    return product


def _refuse_new_currency(product: Product, data: dict[str, Any]) -> None:
    """Refuse another currency while variants have prices in the old one."""
    if data.get("currency", product.currency) == product.currency:
        return
    if Variant.select().where(Variant.product == product.id).exists():
        message = f"Its variants have prices in {product.currency}."
        raise invalid("currency", message, data["currency"])


def delete_product(product: Product) -> None:
    """Delete a product with its variants.

    Raises:
        Vetoed: an addon has a reason to keep it.
    """
    refuse_deletion((product.id,))
    events.publish(events.product_deleted, product)
    product.delete_instance()


def _apply(product: Product, data: dict[str, Any]) -> None:
    data = dict(data)
    _apply_amounts(product, data)
    if "category" in data:
        product.category = _category(data.pop("category"))
    if "sku" in data:
        product.sku_key = sku_key(data["sku"])
        _refuse_taken(Product, Product.sku_key == product.sku_key, product, "sku", data["sku"])
    if "slug" in data:
        _refuse_taken(Product, Product.slug == data["slug"], product, "slug", data["slug"])
    for name, value in data.items():
        setattr(product, name, value)
    product.search_text = search_text(product.name, product.sku)


def _apply_amounts(product: Product, data: dict[str, Any]) -> None:
    """Set currency and amounts together: how many decimals are right depends on the currency."""
    old = (
        {"price": product.price, "compare_at_price": product.compare_at_price}
        if (product.price_minor is not None)
        else {}
    )
    product.currency = data.pop("currency", product.currency)
    for name, column in (("price", "price_minor"), ("compare_at_price", "compare_at_minor")):
        amount = data.pop(name, old.get(name))
        setattr(product, column, None if amount is None else _minor(name, amount, product.currency))


def _minor(field: str, amount: Decimal | Money, currency: str) -> int:
    try:
        return Money.parse(str(amount), currency).minor
    except ValueError as error:
        raise invalid(field, f"{error}.", str(amount)) from None


def _category(slug: str | None) -> Category | None:
    if slug is None:
        return None
    found: Category | None = Category.get_or_none(Category.slug == slug)
    if found is None:
        raise invalid("category", "There is no category with this slug.", slug)
    return found


def _refuse_taken(model: Any, same: Any, row: Any, field: str, value: str) -> None:
    others = model.select(model.id).where(same)
    if row.id is not None:
        others = others.where(model.id != row.id)
    if others.exists():
        message = f"Another {model.__name__.lower()} has this {field} already."
        raise Conflict(f"'{field}': {message}", [FieldError(field, message, value)])


def _free_slug(model: Any, name: str) -> str:
    base = slugify(name)
    taken = {slug for (slug,) in model.select(model.slug).where(
        (model.slug == base) | model.slug.startswith(f"{base}-")
    ).tuples()}  # fmt: skip
    number, slug = 1, base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def save_category(category: Category, data: dict[str, Any], *, new: bool) -> Category:
    """Make or change a category by loaded data.

    Raises:
        Conflict: the slug is taken.
    """
    if "slug" in data:
        _refuse_taken(Category, Category.slug == data["slug"], category, "slug", data["slug"])
    for name, value in data.items():
        setattr(category, name, value)
    if not category.slug:
        category.slug = _free_slug(Category, category.name)
    category.updated_at = now()
    category.save(force_insert=new)
    return category


def money_filter(parameter: str, amount: Decimal) -> int:
    """Return an amount of a filter in minor units of the shop's currency.

    Raises:
        InvalidInput: it has more decimals than the currency.
    """
    try:
        return Money.parse(amount, setting("products.currency")).minor
    except ValueError as error:
        raise InvalidInput(
            f"'{parameter}': {error}.", [FieldError(parameter, f"{error}.", str(amount))]
        ) from None
