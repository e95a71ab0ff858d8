"""The tables of the search: what is looked into, and the words that slips are set right by."""

import json
from typing import Any

import peewee

from bodega_products.models import Product
from bodega_sdk import Model, database


class SearchRow(Model):
    """A product as the search sees it: the words of each field, a space around each.

    On SQLite the FTS5 table ``products_search_text`` stands on it, kept by triggers; on
    PostgreSQL a GIN index. See ``docs/decisions/0025-search.md``.
    """

    id: Any = peewee.BigAutoField()
    product: Any = peewee.ForeignKeyField(Product, unique=True, on_delete="CASCADE")
    name: Any = peewee.TextField()
    sku: Any = peewee.TextField()
    tags: Any = peewee.TextField()
    category: Any = peewee.TextField()
    description: Any = peewee.TextField()

    class Meta:
        """Peewee's options."""

        table_name = "products_search"
        versioned = True


class SearchWord(Model):
    """A word of a name, a tag or a category.

    Two that learn a word at the same time both keep it: if it were unique, one would wait
    for the other, and transactions that learn several words for each other.
    """

    id: Any = peewee.BigAutoField()
    word: Any = peewee.CharField(max_length=40, index=True)

    class Meta:
        """Peewee's options."""

        table_name = "products_search_word"


class SearchGram(Model):
    """Two neighbouring characters of a word; its ends count as spaces."""

    id: Any = peewee.BigAutoField()
    gram: Any = peewee.CharField(max_length=2)
    word: Any = peewee.CharField(max_length=40)

    class Meta:
        """Peewee's options."""

        table_name = "products_search_gram"
        indexes = ((("gram", "word"), False),)


def in_one_value(values: list[str], kind: str) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL of being one of thousands of values, which are sent as one.

    Args:
        kind: what PostgreSQL calls their type.
    """
    if isinstance(database.obj, peewee.PostgresqlDatabase):
        return f"= ANY(%s::{kind}[])", (values,)
    return "IN (SELECT value FROM json_each(?))", (json.dumps(values),)


ALL = (SearchRow, SearchWord, SearchGram)
