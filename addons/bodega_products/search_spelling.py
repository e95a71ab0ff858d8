"""Slips of the pen: the words that products have, and those nearest to one that none has.

The same tables and the same arithmetic on both engines, so that both set right the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee
from psycopg2.extras import execute_values

from bodega_products.search_models import SearchGram, SearchWord, in_one_value
from bodega_products.search_words import distance, is_cjk
from bodega_sdk import database

# Characters of a word that can be set right: in shorter ones everything is near everything.
_SHORTEST, _TWICE = 4, 6
_CANDIDATES, _KEPT = 300, 20


def worth_keeping(word: str) -> bool:
    """Whether slips in a word are set right: it is of letters, and long enough."""
    return len(word) >= _SHORTEST and word.isalpha() and not is_cjk(word)


def grams(word: str) -> set[str]:
    """Return the pairs of neighbours in a word; its ends count as spaces."""
    ends = f" {word} "
    return {ends[place : place + 2] for place in range(len(ends) - 1)}


def learn(found: Iterable[str]) -> None:
    """Keep words that are not known yet; call it in a transaction."""
    wanted = sorted({word for word in found if worth_keeping(word)})
    known = _known(wanted) if wanted else set()
    new = [word for word in wanted if word not in known]
    _insert(SearchWord, "word", ((word,) for word in new))
    _insert(
        SearchGram, "gram, word", ((gram, word) for word in new for gram in sorted(grams(word)))
    )


def _known(wanted: list[str]) -> set[str]:
    among, values = in_one_value(wanted, "text")
    sql = f"SELECT word FROM products_search_word WHERE word {among}"
    return {word for (word,) in database.execute_sql(sql, values).fetchall()}


def _insert(model: Any, names: str, rows: Iterable[Sequence[str]]) -> None:
    into, rows = f'INSERT INTO "{model._meta.table_name}" ({names}) VALUES {{}}', list(rows)
    if not rows:
        return
    with peewee.__exception_wrapper__:
        if isinstance(database.obj, peewee.PostgresqlDatabase):
            execute_values(database.obj.cursor(), into.format("%s"), rows, page_size=1000)
        else:
            marks = ", ".join("?" * len(rows[0]))
            database.obj.cursor().executemany(into.format(f"({marks})"), rows)


def forget_all() -> None:
    """Forget every word; call it in a transaction."""
    for model in (SearchGram, SearchWord):
        model.delete().execute()


@dataclass(frozen=True, slots=True, order=True)
class Near:
    """A word near to one that no product has; those in order are the nearest first.

    Args:
        edits: how many part them.
        begins: whether only its beginning is so near.
        longer: how many characters longer or shorter it is.
    """

    edits: int
    begins: bool
    longer: int
    word: str


def near(word: str, *, prefix: bool = False) -> list[Near]:
    """Return the words nearest to one that no product has; a product may have had them.

    Args:
        prefix: whether the word may be the beginning of another.
    """
    if not worth_keeping(word):
        return []
    most = 2 if len(word) >= _TWICE else 1
    return sorted(_measured(word, most, prefix=prefix))[:_KEPT]


def _measured(word: str, most: int, *, prefix: bool) -> Iterator[Near]:
    for other in _candidates(word, most, prefix=prefix):
        edits, begins = distance(word, other, most), False
        if edits > most and prefix:
            edits, begins = distance(word, other, most, prefix=True), True
        if 0 < edits <= most:
            yield Near(edits, begins, abs(len(other) - len(word)), other)


def _candidates(word: str, most: int, *, prefix: bool) -> list[str]:
    """Return words that share as many pairs with one as that many edits leave at least."""
    pairs, size = grams(word), peewee.fn.LENGTH(SearchGram.word)
    shared = peewee.fn.COUNT(SearchGram.gram.distinct())
    # An edit changes two pairs, an exchange of neighbours three; a beginning has no end.
    least = max(1, len(pairs) - 3 * most - prefix)
    query = SearchGram.select(SearchGram.word).where(
        SearchGram.gram.in_(sorted(pairs)), size >= len(word) - most
    )
    if not prefix:
        query = query.where(size <= len(word) + most)
    query = query.group_by(SearchGram.word).having(shared >= least)
    ordered = query.order_by(shared.desc(), size, SearchGram.word).limit(_CANDIDATES)
    return [found for (found,) in ordered.tuples()]
