"""Keeping the index of the search, in the transaction that writes. Many products at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from peewee import JOIN

from bodega_products import facts
from bodega_products import search_spelling as spelling
from bodega_products.models import Category, Product, ProductTag, Tag
from bodega_products.search_models import SearchRow, in_one_value
from bodega_products.search_words import field, sku_field
from bodega_sdk import database, locked, transaction
from bodega_sdk.bulk import insert_or_update, insert_rows, portions

_FIELDS = ("name", "sku", "tags", "category", "description")
# Words of each that count.
_NAME, _TAGS, _CATEGORY, _DESCRIPTION = 100, 200, 60, 2000


_TEXTS = """
SELECT item.id, item.name, item.sku, category.name, item.description,
    there.name, there.sku, there.tags, there.category, there.description
FROM products_product item
LEFT JOIN products_category category ON category.id = item.category_id
LEFT JOIN products_search there ON there.product_id = item.id
WHERE item.deleted_at IS NULL AND item.id {among}
"""
_TAGS_OF = """
SELECT marked.product_id, tag.name FROM products_product_tag marked
JOIN products_tag tag ON tag.id = marked.tag_id WHERE marked.product_id {among} ORDER BY tag.slug
"""
_OTHERS = """
SELECT target, name, description FROM products_translation
WHERE kind = 'product' AND target {among} ORDER BY language
"""


def keep(products: Iterable[UUID]) -> None:
    """Write into the index what these products are now; those that are gone leave it.

    Call it in the transaction that writes them, once for all of them.
    """
    for some in portions(list(products)):
        _keep(list(some))


def _keep(ids: list[UUID]) -> None:
    texts = _read(_TEXTS, ids)
    if len(texts) < len(ids):
        _forget(ids, {row[0] for row in texts})
    tags, others = _grouped(_read(_TAGS_OF, ids)), _grouped(_read(_OTHERS, ids))
    words = ((row, _words(row[1:5], tags[row[0]], others[row[0]])) for row in texts)
    new: list[tuple[Any, ...]] = [(row[0], *found) for row, found in words if found != row[5:]]
    if new:
        _write(new)
        spelling.learn(_vocabulary((row[1], *row[3:5]) for row in new))


def add(products: Iterable[tuple[UUID, str, str, str, str]]) -> None:
    """Write new products into the index, in the transaction that makes them.

    Args:
        products: of each its id, name, SKU, category's name and description.
    """
    rows = [
        (key, field(name, _NAME), sku_field(sku), "", _of_category(category) if category else "",
         field(description, _DESCRIPTION, join=False))
        for key, name, sku, category, description in products
    ]  # fmt: skip
    if rows:
        if database.obj.for_update:
            insert_rows(SearchRow, ("product", *_FIELDS), rows)
        else:
            # SQLite's full-text table writes its pages with every statement: this is one.
            _write(rows)
        spelling.learn(_vocabulary((row[1], row[4]) for row in rows))


def _write(rows: list[tuple[Any, ...]]) -> None:
    names = ("product", *_FIELDS)
    insert_or_update(SearchRow, names, rows, key="product", update=_FIELDS)


def _read(sql: str, ids: list[UUID]) -> list[tuple[Any, ...]]:
    """Return rows about products as the engine gives them: thousands at once, no models."""
    among, values = in_one_value([str(Product.id.db_value(key)) for key in ids], "uuid")
    rows: list[tuple[Any, ...]] = database.execute_sql(sql.format(among=among), values).fetchall()
    return rows


def _forget(ids: list[UUID], there: set[Any]) -> None:
    gone = [key for key in ids if not there & {key.hex, str(key), key}]
    if gone:
        SearchRow.delete().where(SearchRow.product.in_(gone)).execute()


def _grouped(rows: Iterable[tuple[Any, ...]]) -> Mapping[Any, list[tuple[Any, ...]]]:
    found: defaultdict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for key, *texts in rows:
        found[key].append(tuple(texts))
    return found


def _words(
    texts: tuple[Any, ...], tags: Iterable[tuple[Any, ...]], others: Iterable[tuple[Any, ...]]
) -> tuple[str, ...]:
    name, sku, category, description = texts
    for translated, described in others:
        name, description = f"{name}\n{translated}", f"{description}\n{described}"
    return (
        field(name, _NAME),
        sku_field(sku),
        field("\n".join(tag for (tag,) in tags), _TAGS),
        _of_category(category) if category else "",
        field(description, _DESCRIPTION, join=False),
    )


@lru_cache(1000)
def _of_category(name: str) -> str:
    return field(name, _CATEGORY)


def _vocabulary(rows: Iterable[Iterable[str]]) -> set[str]:
    """Return the words of names, tags and categories; nobody misspells what a text says."""
    return {word for row in rows for text in row for word in text.split()}


def category_renamed(category: Category) -> None:
    """Write a category's new name into the index, in one statement."""
    words = field(category.name, _CATEGORY)
    _say_of_category(category, words)
    spelling.learn(words.split())


def category_deleted(category: Category) -> None:
    """Drop a category's name from the index; call it before its row is gone."""
    _say_of_category(category, "")


def _say_of_category(category: Category, words: str) -> None:
    theirs = Product.select(Product.id).where(Product.category == category.id)
    others = SearchRow.product.in_(theirs) & (SearchRow.category != words)
    # As everybody who writes products: first these, and then what the search knows of them.
    facts.hold(key for (key,) in SearchRow.select(SearchRow.product).where(others).tuples())
    list(locked(SearchRow.select(SearchRow.id).where(others).order_by(SearchRow.product)).tuples())
    SearchRow.update(category=words).where(others).execute()


def tag_renamed(tag: Tag) -> None:
    """Write a tag's new name into the index."""
    query = ProductTag.select(ProductTag.product).where(ProductTag.tag == tag.id)
    keep([product for (product,) in query.tuples()])


def reindex(tell: Callable[[int, int], None]) -> int:
    """Make the index anew, a piece at a time, while the shop goes on; return how many products.

    Args:
        tell: told how many products are done, of how many.
    """
    total, done = Product.select().where(Product.deleted_at.is_null()).count(), 0
    with transaction():
        spelling.forget_all()
        SearchRow.delete().where(SearchRow.product.not_in(_living())).execute()
        _rebuild()
    tell(0, total)
    for ids in _pieces():
        with transaction():
            keep(ids)
            _learn_again(ids)
        done += len(ids)
        tell(done, max(total, done))
    return done


def _living() -> Any:
    return Product.select(Product.id).where(Product.deleted_at.is_null())


def _pieces() -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        query = _living() if last is None else _living().where(Product.id > last)
        ids = [key for (key,) in query.order_by(Product.id).limit(1000).tuples()]
        if not ids:
            return
        yield ids
        last = ids[-1]


def _learn_again(ids: list[UUID]) -> None:
    """Learn the words of products whose rows were right already."""
    query = SearchRow.select(SearchRow.name, SearchRow.tags, SearchRow.category)
    spelling.learn(_vocabulary(query.where(SearchRow.product.in_(ids)).tuples()))


def _rebuild() -> None:
    """Have SQLite's full-text table begin anew from the rows that it stands on."""
    if not database.obj.for_update:
        database.execute_sql(
            "INSERT INTO products_search_text (products_search_text) VALUES ('rebuild')"
        )


def keep_missing(most: int = 1000) -> int:
    """Index some products that the index lacks, e.g. behind an upgrade; return how many."""
    query = _living().join(SearchRow, JOIN.LEFT_OUTER, on=(SearchRow.product == Product.id))
    missing = query.where(SearchRow.id.is_null()).limit(most)
    with transaction():
        ids = [key for (key,) in missing.tuples()]
        keep(ids)
    return len(ids)
