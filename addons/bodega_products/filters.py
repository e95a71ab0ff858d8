"""What lists of products can be narrowed by."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bodega_products import currencies, languages
from bodega_products.attributes import having
from bodega_products.categories import in_tree, is_named
from bodega_products.models import Category, Product, Variant
from bodega_products.tagging import tagged
from bodega_products.text import sku_key
from bodega_sdk import Filter, Parameter


def _price(name: str, help: str, compare: Callable[[Any, Any], Any]) -> Filter:
    parameter = Parameter(name, Decimal, help)
    return Filter(parameter, lambda value: currencies.price_filter(name, value, compare))


def _moment(
    name: str, help: str, compare: Callable[[Any, Any], Any], column: Any = Product.created_at
) -> Filter:
    parameter = Parameter(name, str, f"{help} ISO 8601, e.g. 2026-01-31 or 2026-01-31T12:00:00Z.")

    def condition(value: str) -> Any:
        try:
            found = datetime.fromisoformat(value.replace(" ", "+"))
            # Without a zone it is UTC; and what lies outside of all calendars is none.
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise parameter.wrong("Expected an instant in ISO 8601.", value) from None
        return compare(column, found)

    return Filter(parameter, condition)


def _in_category(named: str) -> Any:
    found = Category.alias()
    # One at most, so that PostgreSQL knows which before it looks for products: three times faster.
    return Product.category == found.select(found.id).where(is_named(found, named))


def by_slug(slug: str) -> Any:
    """Return the condition that a product has a slug, in whichever language."""
    products = Product.alias()
    own = products.select(products.id).where(products.slug == slug)
    return Product.id.in_(own | languages.targets("product", slug))


def by_sku(sku: str) -> Any:
    """Return the condition that a product, or one of its variants, has a SKU."""
    key, products = sku_key(sku), Product.alias()
    own = products.select(products.id).where(products.sku_key == key)
    return Product.id.in_(own | Variant.select(Variant.product).where(Variant.sku_key == key))


FILTERS = (
    Filter(Parameter("sku", str, "Exactly this SKU, its own or a variant's; case is the same."),
           by_sku),
    Filter(Parameter("slug", str, "Exactly this slug, in whichever language."), by_slug),
    Filter(Parameter("category", str, "Slug or id of a category."), _in_category),
    Filter(Parameter("category_tree", str, "Slug or id of a category; in it, or in one below it."),
           in_tree),
    Filter(Parameter("tag", str, "Name or slug of a tag."), tagged),
    _price("price_min", "This price or more.", operator.ge),
    _price("price_max", "This price or less.", operator.le),
    Filter(Parameter("organization", UUID, "Only what this organization sells."),
           lambda value: Product.organization == value),
    Filter(Parameter("vendor", UUID, "The same as organization."),
           lambda value: Product.organization == value),
    Filter(Parameter("is_active", bool, "Only active, or only inactive ones."),
           lambda value: Product.is_active == value),
    Filter(Parameter("featured", bool, "Only featured, or only other ones."),
           # By itself, as the index of featured products has it: a plan for any value has no use
           # for that.
           lambda value: Product.is_featured if value else ~Product.is_featured),
    Filter(Parameter("digital", bool, "Only what is digital, or only what is not."),
           lambda value: Product.is_digital == value),
    _moment("created_after", "Made at this time or later.", operator.ge),
    _moment("created_before", "Made before this time.", operator.lt),
    _moment("updated_after", "Changed at this time or later.", operator.ge, Product.updated_at),
    _moment("updated_before", "Changed before this time.", operator.lt, Product.updated_at),
    Filter(Parameter("attribute", str,
                     "name:value, e.g. color:red; commas between several, all of which it has."),
           having),
    Filter(Parameter("deleted", bool, "Deleted ones instead; needs products.read_inactive."),
           lambda value: True),
)  # fmt: skip
