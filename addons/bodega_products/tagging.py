"""Tags: words that products are marked with."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from peewee import SQL, fn

from bodega_products import facts, search_index
from bodega_products.models import Product, ProductTag, Tag
from bodega_products.text import tag_slug
from bodega_products.visibility import sold
from bodega_sdk import database, now, uuid7
from bodega_sdk.bulk import portions
from bodega_sdk.errors import Conflict, FieldError

_KEYS = 1000
#: How often tags are looked for that are being renamed.
_TRIES = 5


def link(product: UUID, tags: Sequence[Tag]) -> None:
    """Give a product, which is written already, exactly these tags."""
    others = ProductTag.product == product
    if tags:
        others &= ProductTag.tag.not_in([tag.id for tag in tags])
    ProductTag.delete().where(others).execute()
    for tag in tags:
        made = ProductTag.insert(id=uuid7(), product=product, tag=tag.id)
        made.on_conflict_ignore().execute()


def named(names: Iterable[str]) -> list[Tag]:
    """Return the tags of these names, in the order of their slugs; make those that lack.

    Two spellings of one tag are one, and it is called what it was called first.
    """
    names = list(names)
    wanted = {tag_slug(name) for name in names}
    found: list[Tag] = []
    for _ in range(_TRIES if wanted else 0):
        make_missing(names)
        query = Tag.select().where(Tag.slug.in_(list(wanted))).order_by(Tag.slug)
        # Nobody renames them until the product has them. One that was renamed while we waited
        # is not among these: its old name is free then, and made again.
        found = list(query.for_update("FOR SHARE") if database.obj.for_update else query)
        if len(found) == len(wanted):
            break
    return found


def make_missing(names: Iterable[str]) -> list[UUID]:
    """Make the tags of these names that lack, in the order of their slugs; return their ids."""
    by_slug: dict[str, str] = {}
    for name in names:
        by_slug.setdefault(tag_slug(name), " ".join(name.split()))
    made: list[UUID] = []
    for some in portions(sorted(by_slug), _KEYS):
        known = {slug for (slug,) in Tag.select(Tag.slug).where(Tag.slug.in_(some)).tuples()}
        for slug in some:
            if slug not in known:
                made += _make(by_slug[slug], slug)
    return made


def _make(name: str, slug: str) -> list[UUID]:
    """Make a tag; return its id, unless somebody else was faster."""
    key, stamp = uuid7(), now()
    made = Tag.insert(id=key, name=name, slug=slug, created_at=stamp, updated_at=stamp)
    made.on_conflict_ignore().execute()
    return [key] if Tag.select(Tag.id).where(Tag.id == key).exists() else []


def drop_unused(tags: Iterable[UUID]) -> None:
    """Delete those of tags that were just made which no product got."""
    for some in portions(tags, _KEYS):
        used = ProductTag.select(SQL("1")).where(ProductTag.tag == Tag.id)
        Tag.delete().where(Tag.id.in_(some), ~fn.EXISTS(used)).execute()


def save_tag(tag: Tag, data: dict[str, Any], *, new: bool) -> Tag:
    """Make or rename a tag by loaded data.

    Raises:
        Conflict: there is one of this name, or of one that differs in case and accents only.
    """
    if "name" in data:
        tag.name, tag.slug = " ".join(data["name"].split()), tag_slug(data["name"])
        if Tag.select(Tag.id).where(Tag.slug == tag.slug, Tag.id != tag.id).exists():
            message = "There is a tag of this name already."
            raise Conflict(f"'name': {message}", [FieldError("name", message, data["name"])])
    tag.updated_at = now()
    tag.save(force_insert=new)
    if not new:
        _rename(_marked(tag.id))
    return tag


def hold(tag: Tag) -> None:
    """Hold the products that have a tag; before it, as everybody who writes them."""
    facts.hold(_marked(tag.id))


def delete_tag(tag: Tag) -> None:
    """Delete a tag; products go on without it."""
    marked = _marked(tag.id)
    # First these, as everybody who writes them: what links them to the tag goes with it.
    facts.hold(marked)
    tag.delete_instance()
    _rename(marked)


def _marked(tag: UUID) -> list[UUID]:
    query = ProductTag.select(ProductTag.product).where(ProductTag.tag == tag)
    return sorted(key for (key,) in query.tuples())


def _rename(products: list[UUID]) -> None:
    """Write the names of their tags into products again."""
    # Whoever gives one of them other tags just now is done before these are read.
    facts.hold(products)
    for some in portions(products, _KEYS):
        names: dict[UUID, list[str]] = defaultdict(list)
        query = ProductTag.select(ProductTag.product, Tag.name).join(Tag).order_by(Tag.slug)
        for key, name in query.where(ProductTag.product.in_(some)).tuples():
            names[key].append(name)
        same: dict[tuple[str, ...], list[UUID]] = defaultdict(list)
        for key in some:
            same[tuple(names[key])].append(key)
        for listed, keys in same.items():
            Product.update(tag_names=list(listed)).where(Product.id.in_(keys)).execute()
        search_index.keep(some)


def tagged(name: str) -> Any:
    """Return the condition that a product has a tag, by its name or slug."""
    tag = Tag.alias()
    query = ProductTag.select(ProductTag.product).join(tag, on=(ProductTag.tag == tag.id))
    return Product.id.in_(query.where(tag.slug == tag_slug(name)))


def is_on(products: Any) -> Any:
    """Return the condition that a product has a tag which meets a condition itself."""
    marked = ProductTag.select(SQL("1")).join(Product).where(ProductTag.tag == Tag.id)
    return fn.EXISTS(marked.where(products))


def counts(tags: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many products that are sold have each of these tags, in one query."""
    query = ProductTag.select(ProductTag.tag, fn.COUNT(ProductTag.id)).join(Product)
    grouped = query.where(ProductTag.tag.in_(list(tags)) & sold()).group_by(ProductTag.tag)
    return dict(grouped.tuples())
