"""The routes of categories."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import peewee

from bodega_products import categories, languages
from bodega_products.asking import LANGUAGE, in_context
from bodega_products.models import Category
from bodega_products.resources import Products, sending_on
from bodega_products.schemas import CategorySchema, TreeSchema
from bodega_products.visibility import READ_INACTIVE, WRITE_ALL
from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request, Route
from bodega_sdk.errors import FieldError, NotFound


def _by_slug(slug: str) -> Any:
    found = Category.alias()
    own = found.select(found.id).where(found.slug == slug)
    return Category.id.in_(own | languages.targets("category", slug))


def _below(named: str) -> Any:
    if named == "none":
        return Category.parent.is_null()
    above = Category.alias()
    query = above.select(above.id).where(categories.is_named(above, named))
    return Category.parent.in_(query)


class Categories(Collection):
    """Categories."""

    model = Category
    schema = CategorySchema
    noun = "category"
    nouns = "categories"
    read = PUBLIC
    write = WRITE_ALL
    keys = ("slug",)
    cached = True
    filters = (
        Filter(Parameter("slug", str, "Exactly this slug, in whichever language."), _by_slug),
        Filter(Parameter("parent", str, "Right below this one, by its slug or id; none: roots."),
               _below),
        Filter(Parameter("is_active", bool, "Only active, or only inactive ones."),
               lambda value: Category.is_active == value),
    )  # fmt: skip
    orderings: ClassVar = {
        "name": Category.name,
        "position": Category.position,
    }

    def select(self, request: Request) -> peewee.ModelSelect:
        """All categories, or the active ones."""
        query = Category.select()
        return query if request.identity.may(READ_INACTIVE) else query.where(Category.is_active)

    def hold(self, request: Request) -> Any:
        """Hold a category; where it may move or go, the whole tree before it."""
        if request.body is None or "parent" in request.body:
            categories.hold_tree()
        return super().hold(request)

    def create(self, request: Request, data: dict[str, Any]) -> Category:
        """Make a category."""
        return categories.save_category(Category(), data, new=True)

    def change(self, request: Request, row: Category, data: dict[str, Any]) -> Category:
        """Change a category."""
        return categories.save_category(row, data, new=False)

    def remove(self, request: Request, row: Category) -> None:
        """Delete a category; those below it move up."""
        categories.delete_category(row)

    def picking(self) -> tuple[Parameter, ...]:
        """What is shown of each, and in which language."""
        return (*super().picking(), LANGUAGE)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, the tree, and translations."""
        item = f"{path}/{{id}}"
        verbs = (
            sending_on(route, self) if (route.method, route.path) == ("GET", item) else route
            for route in super().routes(path)
        )
        tree = Route(
            "GET", f"{path}/tree", self._tree, self.read, "Read all categories as a tree",
            description="What is below an inactive category is left out with it.",
            parameters=(LANGUAGE,), returns=TreeSchema, cached=True,
        )  # fmt: skip
        return (
            *(in_context(route) for route in (*verbs, tree)),
            *languages.Translations(self).routes(path),
        )

    def _tree(self, request: Request) -> dict[str, Any]:
        ordered = self.select(request).order_by(Category.position, Category.name, Category.id)
        rows = list(ordered)
        shown = dict(zip((row.id for row in rows), self.show_all(rows, request), strict=True))
        return {"categories": categories.tree(rows, shown)}

    def render(self, rows: Iterable[Category]) -> list[dict[str, Any]]:
        """Show categories with how many products they have: one query for all of them."""
        listed = list(rows)
        shown = super().render(listed)
        paths = [row.path for row in listed]
        counted = categories.with_descendants(paths, categories.counts(paths) if listed else {})
        for row, item in zip(listed, shown, strict=True):
            item["product_count"] = counted[row.path]
        languages.translate("category", (row.id for row in listed), shown)
        return shown


class ProductsOfCategory(Products):
    """The products of a category, and of those below it."""

    verbs = ("list",)

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those of the category that the address names."""
        named = request.params["id"]
        found = categories.find(named)
        if found is None or not (found.is_active or request.identity.may(READ_INACTIVE)):
            message = "There is no category with this id or slug."
            raise NotFound(message, [FieldError("id", message, named)])
        return super().select(request).where(categories.in_tree(named))

    def routes(self, path: str) -> tuple[Route, ...]:
        """The list alone."""
        (listing,) = Collection.routes(self, path)
        told = "`id` is the category's id or slug. With the products of the categories below it."
        listing = replace(
            listing, path_types={"id": str}, description=told,
            summary="List the products of a category",
        )  # fmt: skip
        return (in_context(listing),)
