"""What is there of the products that many rows are about."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from bodega_products.bulk_rows import ProductRow
from bodega_products.models import Category, Product, Translation, Variant
from bodega_products.text import slugify
from bodega_sdk import locked, uuid7
from bodega_sdk.bulk import among, fetch_rows, portions

_ALWAYS = ("id", "sku", "sku_key", "organization", "taken_down_at", "name", "slug")


def existing(keys: list[str], further: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what is there, by SKU key, locked against other writers until the commit.

    Args:
        further: names of fields that are read besides.
    """
    names = tuple(dict.fromkeys((*_ALWAYS, *further)))
    fields = [getattr(Product, name) for name in names]
    found: dict[str, dict[str, Any]] = {}
    for some in portions(keys):
        query = Product.select(*fields).where(among(Product.sku_key, some)).order_by(Product.id)
        for values in fetch_rows(locked(query, gone=True), fields):
            row = dict(zip(names, values, strict=True))
            row["variants"] = []
            found[row["sku_key"]] = row
    return found


def add_variants(found: dict[str, dict[str, Any]]) -> None:
    """Add what variants there are to what :func:`existing` returned."""
    by_id = {row["id"]: row for row in found.values()}
    for some in portions(list(by_id)):
        query = Variant.select().where(among(Variant.product, some)).order_by(Variant.position)
        for variant in query:
            by_id[variant.product_id]["variants"].append(plain(vars(variant)["__data__"]))


def plain(variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return what rows say of a variant."""
    # Without a price of its own it costs what the product does.
    own = variant["price_minor"] if variant.get("has_price", True) else None
    return {"sku": variant["sku"], "options": variant["options"], "price_minor": own}


def slug_owners(rows: Sequence[ProductRow]) -> dict[str, str]:
    """Return who has the slugs that rows want: the SKU keys, by slug."""
    slugs = [row.fields["slug"] for row in rows if "slug" in row.fields]
    owners: dict[str, str] = {}
    for some in portions(slugs):
        query = Product.select(Product.slug, Product.sku_key).where(among(Product.slug, some))
        owners.update(query.tuples())
        translated = Translation.select(Translation.slug, Product.sku_key).join(
            Product, on=(Translation.target == Product.id)
        )
        same = (Translation.kind == "product") & among(Translation.slug, some)
        owners.update(translated.where(same).tuples())
    return owners


@lru_cache(5000)
def slug_of(category: str) -> str:
    """Return the slug by which a category's name is looked up."""
    return slugify(category)


def categories(given: Iterable[Any], *, make: bool) -> dict[str, tuple[UUID, str]]:
    """Return the categories of these names, by slug: id and name; make those missing."""
    named = {slug_of(n): n for n in sorted({n for n in given if isinstance(n, str) and n})}
    if not named:
        return {}
    found = _category_ids(named)
    missing = named.keys() - found.keys() if make else set()
    for slug in sorted(missing):
        key = uuid7()
        made = Category.insert(
            id=key, path=f"{key.hex}/", name=named[slug][:200], slug=slug, position=0
        )
        made.on_conflict_ignore().execute()
    return _category_ids(named) if missing else found


def _category_ids(slugs: Iterable[str]) -> dict[str, tuple[UUID, str]]:
    query = Category.select(Category.slug, Category.id, Category.name)
    return {
        slug: (key, name)
        for some in portions(slugs)
        for slug, key, name in query.where(among(Category.slug, some)).tuples()
    }
