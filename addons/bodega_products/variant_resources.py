"""The routes of variants and tags."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_products import skus, tagging, variants
from bodega_products.models import Product, Tag, Variant
from bodega_products.schemas import TagSchema, VariantSchema
from bodega_products.text import sku_key, tag_slug
from bodega_products.visibility import READ_INACTIVE, WRITE, WRITE_ALL, visible
from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request
from bodega_sdk.errors import PermissionDenied


class Variants(Collection):
    """Variants of products, for those who see the products."""

    model = Variant
    schema = VariantSchema
    noun = "variant"
    read = PUBLIC
    write = WRITE
    keys = ("sku",)
    cached = True
    # Whose a variant is, its product says; see _check_mine.
    objects, beyond, hidden = "organization", WRITE_ALL, False
    filters = (
        Filter(Parameter("product", UUID, "Only of this product."),
               lambda value: Variant.product == value),
        Filter(Parameter("sku", str, "Exactly this SKU, without regard to case."),
               lambda value: Variant.sku_key == sku_key(value)),
    )  # fmt: skip
    orderings: ClassVar = {"position": Variant.position, "updated_at": Variant.updated_at}

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those of products that the caller sees."""
        return Variant.select(Variant, Product).join(Product).where(visible(request.identity))

    def hold(self, request: Request) -> Any:
        """Hold a variant, and before it the SKUs and its product."""
        if isinstance(request.body, Mapping) and "sku" in request.body:
            skus.hold([request.body["sku"]], of_variants=True)
        product = variants.product_of(self.get(request).product_id)
        self._check_mine(request, product)
        variant = super().hold(request)
        variant.product = product
        return variant

    def create(self, request: Request, data: dict[str, Any]) -> Variant:
        """Make a variant."""
        skus.hold([data.get("sku") or ""], of_variants=True)
        product = variants.product_of(data.pop("product"))
        self._check_mine(request, product)
        return variants.create_variant(product, data)

    def change(self, request: Request, row: Variant, data: dict[str, Any]) -> Variant:
        """Change a variant."""
        return variants.change_variant(row, row.product, data)

    def remove(self, request: Request, row: Variant) -> None:
        """Delete a variant."""
        variants.delete_variant(row, row.product)

    def _check_mine(self, request: Request, product: Product) -> None:
        mine = self.whose(request)
        if mine is not None and product.organization != mine:
            raise PermissionDenied("This variant's product is not yours to change.")


class Tags(Collection):
    """Tags, with how many products have them."""

    model = Tag
    schema = TagSchema
    noun = "tag"
    read = PUBLIC
    write = WRITE_ALL
    keys = ("slug",)
    cached = True
    filters = (
        Filter(Parameter("slug", str, "Exactly this slug."), lambda value: Tag.slug == value),
        Filter(Parameter("name", str, "This name, without regard to case and accents."),
               lambda value: Tag.slug == tag_slug(value)),
    )  # fmt: skip
    orderings: ClassVar = {"name": Tag.name}

    def select(self, request: Request) -> peewee.ModelSelect:
        """All tags, or those of products that the caller sees."""
        if request.identity.may(READ_INACTIVE):
            return Tag.select()
        return Tag.select().where(tagging.is_on(visible(request.identity)))

    def hold(self, request: Request) -> Any:
        """Hold a tag, and before it the products that have it."""
        tagging.hold(self.get(request))
        return super().hold(request)

    def create(self, request: Request, data: dict[str, Any]) -> Tag:
        """Make a tag."""
        return tagging.save_tag(Tag(), data, new=True)

    def change(self, request: Request, row: Tag, data: dict[str, Any]) -> Tag:
        """Rename a tag, in the products that have it too."""
        return tagging.save_tag(row, data, new=False)

    def remove(self, request: Request, row: Tag) -> None:
        """Delete a tag; products go on without it."""
        tagging.delete_tag(row)

    def render(self, rows: Iterable[Tag]) -> list[dict[str, Any]]:
        """Show tags with how many products have them: one query for all of them."""
        listed = list(rows)
        shown = super().render(listed)
        counted = tagging.counts([tag.id for tag in listed]) if listed else {}
        for tag, item in zip(listed, shown, strict=True):
            item["product_count"] = counted.get(tag.id, 0)
        return shown
