"""Sample products: plausible ones in a tree of categories, made by code from a seed."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any
from uuid import UUID

from bodega_products import catalogue, categories, slugs, variants
from bodega_products.asking import canonical
from bodega_products.models import Category, Product, ProductTag, Tag, Translation
from bodega_products.sample_words import (
    FIRST,
    LAST,
    MATERIALS,
    SENTENCES,
    TAGS,
    TREE,
    Shelf,
)
from bodega_products.text import tag_slug
from bodega_sdk import Money, SampleData, SampleRun, now, sample_id, sample_ids, setting
from bodega_sdk.bulk import portions

_PRODUCT, _CATEGORY, _TAG = "products.product", "products.category", "products.tag"
_GERMAN = "de"
#: Ids of one statement.
_KEYS = 1000


def declared() -> list[SampleData]:
    """Return what makes them, and takes them away."""
    return [SampleData(make, remove, others)]


def make(run: SampleRun) -> None:
    """Make the categories, tags and products that are not there."""
    _make_categories(run)
    _make_tags(run)
    there = _there(Product, [sample_id(_PRODUCT, number) for number in range(run.count)])
    for number in range(run.count):
        if sample_id(_PRODUCT, number) in there:
            run.found("products")
        else:
            _make_product(run, number)
        run.progress(number + 1, run.count)


def others() -> int:
    """Return how many products are no samples."""
    alive = Product.select().where(Product.deleted_at.is_null())
    samples: int = sum(
        alive.where(Product.id.in_(some)).count() for some in _chunks(sample_ids(_PRODUCT))
    )
    number: int = alive.count()
    return number - samples


def _there(model: Any, ids: Iterable[UUID]) -> set[UUID]:
    found = (model.select(model.id).where(model.id.in_(some)).tuples() for some in _chunks(ids))
    return {key for query in found for (key,) in query}


def _chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    return (list(some) for some in portions(list(ids), _KEYS))


# Categories.


def _branches() -> Iterator[tuple[int, str, str, str, int | None]]:
    """Yield all categories, those above first: number, slug, both names, the parent's number."""
    number = 0
    for (slug, name, name_de), shelves in TREE.items():
        root = number
        yield root, slug, name, name_de, None
        for shelf in shelves:
            number += 1
            yield number, shelf.slug, shelf.name, shelf.name_de, root
        number += 1


def _make_categories(run: SampleRun) -> None:
    there = _there(Category, (sample_id(_CATEGORY, item[0]) for item in _branches()))
    for number, slug, name, name_de, parent in _branches():
        key = sample_id(_CATEGORY, number)
        if key in there:
            run.found("categories")
            continue
        data = {"name": name, "position": number, "slug": _free(Category, slug)}
        if parent is not None:
            data["parent"] = str(sample_id(_CATEGORY, parent))
        categories.save_category(Category(id=key), data, new=True)
        _translate("category", key, name_de, "")
        run.made("categories")


def _free(model: Any, slug: str) -> str:
    """Return a slug, or one like it when something else has it."""
    return str(slugs.free_slug(model, slug))


def _translate(kind: str, key: UUID, name: str, description: str) -> None:
    """Say it in German too, unless that is the shop's own language."""
    if str(setting("products.language")).partition("-")[0] != _GERMAN:
        Translation.create(
            kind=kind, target=key, language=canonical(_GERMAN), name=name,
            description=description, updated_at=now(),
        )  # fmt: skip


def _make_tags(run: SampleRun) -> None:
    for number, name in enumerate(TAGS):
        values = {"id": sample_id(_TAG, number), "name": name, "slug": tag_slug(name)}
        if Tag.get_or_none(Tag.slug == values["slug"]):
            run.found("tags")
        else:
            Tag.create(**values)
            run.made("tags")


# Products.


def _shelves() -> list[tuple[int, Shelf]]:
    """Return the shelves, each with the number of its category."""
    numbers = {slug: number for number, slug, *_ in _branches()}
    return [(numbers[shelf.slug], shelf) for found in TREE.values() for shelf in found]


def _make_product(run: SampleRun, number: int) -> None:
    chance = run.draw(f"{_PRODUCT} {number}")
    shelves = _shelves()
    category, shelf = shelves[number % len(shelves)]
    facts = _facts(chance, shelf)
    key = sample_id(_PRODUCT, number)
    row = Category.find(sample_id(_CATEGORY, category))
    data = _data(chance, shelf, facts) | {"id": key, "sku": f"SAMPLE-{number + 1:05}"}
    product = catalogue.create_product(data | {"category": row.slug if row else None})
    name_de = f"{shelf.noun_de} {facts['series']} aus {facts['material_de']}"
    _translate("product", key, name_de, _text(facts, german=True))
    run.made("products")
    run.made("variants", _make_variants(chance, product, shelf))


def _facts(chance: Random, shelf: Shelf) -> dict[str, Any]:
    """Draw what a product is."""
    material = chance.choice(shelf.materials)
    weight = chance.randint(*shelf.grams)
    kilograms = f"{weight / 1000:.1f}" if weight >= 100 else f"{weight / 1000:.2f}"
    return {
        "series": chance.choice(FIRST) + chance.choice(LAST),
        "material": material,
        "material_de": MATERIALS[material],
        "grams": weight,
        "weight": kilograms,
        "weight_de": kilograms.replace(".", ","),
        "millimetres": chance.randint(*shelf.millimetres),
        "years": chance.choice((2, 3, 5, 10)),
        "sentences": chance.sample(range(len(SENTENCES)), 4),
    }


def _text(facts: dict[str, Any], *, german: bool) -> str:
    told = facts | {"largest": round(facts["millimetres"] / 10)}
    return " ".join(SENTENCES[place][german].format(**told) for place in facts["sentences"])


def _data(chance: Random, shelf: Shelf, facts: dict[str, Any]) -> dict[str, Any]:
    cents = chance.randrange(*shelf.cents, 100) + chance.choice((0, 50, 90, 95))
    reduced, text = chance.random() < 0.2, _text(facts, german=False)
    tags = [*chance.sample(TAGS[:-1], chance.randint(0, 2)), *(["sale"] if reduced else [])]
    side = facts["millimetres"]
    name = f"{facts['series']} {facts['material'].title()} {shelf.noun}"
    return {
        "name": name,
        "description": text,
        "price": _money(cents),
        "compare_at_price": _money(cents * 5 // 4) if reduced else None,
        "cost": _money(cents * 2 // 5),
        "tags": tags,
        "attributes": {"material": facts["material"], "warranty_years": facts["years"]},
        "is_featured": chance.random() < 0.1,
        "weight_grams": facts["grams"],
        "length_millimetres": side,
        "width_millimetres": side * chance.randint(30, 90) // 100,
        "height_millimetres": side * chance.randint(20, 90) // 100,
        "meta_title": name,
        "meta_description": text[:160],
        "popularity": int(chance.paretovariate(1.2) * 10),
    }


def _money(cents: int) -> Money:
    return Money(cents, setting("products.currency"))


def _make_variants(chance: Random, product: Product, shelf: Shelf) -> int:
    made = 0
    for axis, values in shelf.options.items():
        for place, value in enumerate(chance.sample(values, chance.randint(2, len(values)))):
            dearer = place > 0 and chance.random() < 0.3
            price = _money(product.price_minor * 11 // 10) if dearer else None
            sku = f"{product.sku}-{place + 1}"
            variants.create_variant(product, {"options": {axis: value}, "sku": sku, "price": price})
            made += 1
    return made


# Taking them away.


def remove(run: SampleRun) -> None:
    """Delete the sample products for good; categories and tags unless others are in them.

    Raises:
        Vetoed: an addon has a reason to keep one of the products.
    """
    keys = _there(Product, sample_ids(_PRODUCT))
    for some in _chunks(sorted(keys)):
        alive = Product.select().where(Product.id.in_(some), Product.deleted_at.is_null())
        catalogue.delete_products(alive)
        targets = Translation.target.in_(some) & (Translation.kind == "product")
        Translation.delete().where(targets).execute()
        Product.delete().where(Product.id.in_(some)).execute()
    run.made("products", len(keys))
    _remove_categories(run)
    _remove_tags(run)


def _remove_categories(run: SampleRun) -> None:
    for number, *_ in reversed(list(_branches())):
        row = Category.find(sample_id(_CATEGORY, number))
        if row is None:
            continue
        below = Category.select().where(Category.parent == row.id).exists()
        if below or Product.select().where(Product.category == row.id).exists():
            run.found("categories")
        else:
            categories.delete_category(row)
            run.made("categories")


def _remove_tags(run: SampleRun) -> None:
    for number in range(len(TAGS)):
        key = sample_id(_TAG, number)
        if not ProductTag.select().where(ProductTag.tag == key).exists():
            run.made("tags", Tag.delete().where(Tag.id == key).execute())
