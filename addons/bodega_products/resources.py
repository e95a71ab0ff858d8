"""The routes of the catalogue."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_products import catalogue
from bodega_products.models import Category, Product, Variant
from bodega_products.quoting import quote
from bodega_products.schemas import CategorySchema, ProductSchema, QuoteSchema
from bodega_products.text import fold, sku_key
from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request, Route

_SEES_ALL, WRITE_ALL = "products.read_inactive", "products.write_all"


def _price(name: str, help: str, compare: Callable[[int], Any]) -> Filter:
    parameter = Parameter(name, Decimal, help)
    return Filter(parameter, lambda value: compare(catalogue.money_filter(name, value)))


def _in_category(slug: str) -> Any:
    return Product.category.in_(Category.select(Category.id).where(Category.slug == slug))


class Products(Collection):
    """Products; the inactive ones only for those who may see them."""

    model = Product
    schema = ProductSchema
    noun = "product"
    read = PUBLIC
    write = "products.write"
    objects, beyond, owner, hidden = "organization", WRITE_ALL, Product.organization, False
    filters = (
        Filter(Parameter("sku", str, "Exactly this SKU, without regard to case."),
               lambda value: Product.sku_key == sku_key(value)),
        Filter(Parameter("slug", str, "Exactly this slug."), lambda value: Product.slug == value),
        Filter(Parameter("category", str, "Slug of a category."), _in_category),
        _price("price_min", "This price or more.", lambda minor: Product.price_minor >= minor),
        _price("price_max", "This price or less.", lambda minor: Product.price_minor <= minor),
        Filter(Parameter("organization", UUID, "Only what this organization sells."),
               lambda value: Product.organization == value),
        Filter(Parameter("is_active", bool, "Only active, or only inactive ones."),
               lambda value: Product.is_active == value),
        Filter(Parameter("featured", bool, "Only featured, or only other ones."),
               lambda value: Product.is_featured == value),
    )  # fmt: skip
    orderings: ClassVar = {
        "price": Product.price_minor,
        "name": Product.name,
        "updated_at": Product.updated_at,
    }
    searchable = True

    def search(self, text: str) -> Any:
        """Every word must be in the name or the SKU, without regard to case and accents."""
        words = fold(text).split()[:10]
        return reduce(and_, (Product.search_text.contains(word) for word in words), True)

    def select(self, request: Request) -> peewee.ModelSelect:
        """All products, or the active ones and those of the caller's own organization."""
        query, identity = Product.select(), request.identity
        if identity.may(_SEES_ALL):
            return query
        if identity.organization and identity.may(self.write):
            own = Product.organization == UUID(identity.organization)
            return query.where(Product.is_active | own)
        return query.where(Product.is_active)

    def create(self, request: Request, data: dict[str, Any]) -> Product:
        """Make a product."""
        return catalogue.create_product(data)

    def change(self, request: Request, row: Product, data: dict[str, Any]) -> Product:
        """Change a product."""
        return catalogue.change_product(row, data)

    def remove(self, request: Request, row: Product) -> None:
        """Delete a product."""
        catalogue.delete_product(row)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and the price of so many."""
        many = Parameter("quantity", int, "How many.", 1, minimum=1, maximum=1_000_000)
        quoting = Route(
            "GET", f"{path}/{{id}}/quote", self.quote, self.read, "Quote a price",
            description="Addons may make it depend on how many are bought.",
            parameters=(many,), returns=QuoteSchema,
        )  # fmt: skip
        return (*super().routes(path), quoting)

    def quote(self, request: Request) -> dict[str, Any]:
        """What so many of a product cost."""
        found = quote(self.get(request), request.query["quantity"])
        return {
            "sku": found.sku,
            "quantity": found.quantity,
            "unit_price": str(found.unit_price),
            "total": str(found.total),
            "currency": found.unit_price.currency,
        }

    def render(self, rows: Iterable[Product]) -> list[dict[str, Any]]:
        """Show products with their categories' slugs and their variants: two queries more."""
        products = list(rows)
        slugs, variants = _slugs(products), _variants(products)
        shown = super().render(products)
        for product, item in zip(products, shown, strict=True):
            item["category"] = slugs.get(product.category_id)
            item["variants"] = [_show_variant(v, product) for v in variants[product.id]]
        return shown


def _slugs(products: list[Product]) -> dict[Any, str]:
    ids = {product.category_id for product in products} - {None}
    if not ids:
        return {}
    return dict(Category.select(Category.id, Category.slug).where(Category.id.in_(ids)).tuples())


def _variants(products: list[Product]) -> dict[Any, list[Variant]]:
    grouped: dict[Any, list[Variant]] = defaultdict(list)
    if products:
        ids = [product.id for product in products]
        for variant in Variant.select().where(Variant.product.in_(ids)).order_by(Variant.position):
            grouped[variant.product_id].append(variant)
    return grouped


def _show_variant(variant: Variant, product: Product) -> dict[str, Any]:
    return {
        "id": variant.id,
        "sku": variant.sku,
        "options": variant.options,
        "price": str(type(product.price)(variant.price_minor, product.currency)),
        "position": variant.position,
    }


class Categories(Collection):
    """Categories."""

    model = Category
    schema = CategorySchema
    noun = "category"
    nouns = "categories"
    read = PUBLIC
    write = WRITE_ALL
    filters = (
        Filter(Parameter("slug", str, "Exactly this slug."), lambda value: Category.slug == value),
        Filter(Parameter("is_active", bool, "Only active, or only inactive ones."),
               lambda value: Category.is_active == value),
    )  # fmt: skip
    orderings: ClassVar = {"name": Category.name}

    def select(self, request: Request) -> peewee.ModelSelect:
        """All categories, or the active ones."""
        query = Category.select()
        return query if request.identity.may(_SEES_ALL) else query.where(Category.is_active)

    def create(self, request: Request, data: dict[str, Any]) -> Category:
        """Make a category."""
        return catalogue.save_category(Category(), data, new=True)

    def change(self, request: Request, row: Category, data: dict[str, Any]) -> Category:
        """Change a category."""
        return catalogue.save_category(row, data, new=False)
