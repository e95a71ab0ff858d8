"""Tags of many products at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from bodega_products import tagging
from bodega_products.models import Product, ProductTag, Tag
from bodega_products.text import tag_slug
from bodega_sdk import uuid7
from bodega_sdk.bulk import insert_rows, portions


def differ(names: Iterable[str], there: Sequence[str] | None) -> bool:
    """Whether names mean other tags than those that a product has."""
    return {tag_slug(name) for name in names} != {tag_slug(name) for name in there or ()}


def write(tags: Mapping[UUID, Sequence[str]]) -> None:
    """Give products, which are written and held already, exactly these tags, by their names."""
    if not tags:
        return
    found = {tag.slug: tag for tag in tagging.named(_all(tags))}
    wanted = {
        key: sorted({tag_slug(name) for name in names}) for key, names in tags.items()
    }  # fmt: skip
    for some in portions(wanted):
        ProductTag.delete().where(ProductTag.product.in_(some)).execute()
    rows = [(uuid7(), key, found[slug].id) for key, slugs in wanted.items() for slug in slugs]
    if rows:
        insert_rows(ProductTag, ("id", "product", "tag"), rows)
    _name(wanted, found)


def _all(tags: Mapping[UUID, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in tags.values() for name in names))


def _name(wanted: Mapping[UUID, Sequence[str]], found: Mapping[str, Tag]) -> None:
    """Write the names into the products too, where lists read them."""
    same: dict[tuple[str, ...], list[UUID]] = defaultdict(list)
    for key, slugs in wanted.items():
        same[tuple(found[slug].name for slug in slugs)].append(key)
    for names, keys in same.items():
        for some in portions(keys):
            Product.update(tag_names=list(names)).where(Product.id.in_(some)).execute()
