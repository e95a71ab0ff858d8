"""Finding products: what a text matches, and how well. One query that others are built on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import peewee

from bodega_products import search_spelling as spelling
from bodega_products.hookspecs import search_products
from bodega_products.models import Product
from bodega_products.search_answers import SearchAnswer, SearchQuery
from bodega_products.search_models import SearchRow, SearchWord
from bodega_products.search_query import Form, Query, Term, for_postgres, for_sqlite, parse
from bodega_sdk import database

# What a word is worth where it stands: whole, and as the beginning of one.
_POINTS = (("name", 640, 480), ("sku", 320, 240), ("tags", 160, 120), ("category", 80, 60))
_DESCRIPTION = 20
# The text is the SKU; its words stand side by side in the name; the name begins with them.
_IS_SKU, _SIDE_BY_SIDE, _BEGINS = 5000, 300, 50
_BY_EDITS = {1: 60, 2: 35}
_CORRECTIONS = 5
#: Ids that an addon's answer may have.
MOST_GIVEN = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """What a text finds.

    Args:
        hits: a select of ``product`` and ``score``, a whole number, more is better.
        terms: what to mark in texts.
        corrected: word that no product has → those looked for instead.
        facets: what an addon counted, by name; empty when the house does the search.
    """

    hits: Any
    terms: tuple[Term, ...] = ()
    corrected: Mapping[str, Sequence[str]] = field(default_factory=dict)
    facets: Mapping[str, Any] = field(default_factory=dict)

    @property
    def condition(self) -> Any:
        """That a product is found."""
        return Product.id.in_(peewee.Select([self.hits], [self.hits.c.product]))

    @property
    def rank(self) -> Any:
        """How well it fits, of each product that a query reads."""
        scored = peewee.Select([self.hits], [self.hits.c.score])
        return peewee.fn.COALESCE(scored.where(self.hits.c.product == Product.id), 0)

    def joined(self, query: peewee.ModelSelect) -> peewee.ModelSelect:
        """Return a query of products that reads only those found."""
        return query.join(self.hits, on=(self.hits.c.product == Product.id))


def find(text: str) -> Found:
    """Return what a text finds: by the addon that replaces the search, or by the house."""
    query = parse(text)
    words = tuple(form.words[0] for term in query.wanted for form in term.forms[:1])
    answer = search_products(SearchQuery(text, words, MOST_GIVEN))
    if answer is not None:
        return _given(answer, query)
    query, corrected = _settled(query)
    return Found(_hits(query), query.wanted, corrected)


def _given(answer: SearchAnswer, query: Query) -> Found:
    """Return what an addon found."""
    # Nobody here knows when that answer changes: having read this table, which has no
    # version, what is made of it is not kept.
    SearchWord.select(SearchWord.word).limit(1).first()
    scores = [(key, int(score * 1000)) for key, score in answer.hits][:MOST_GIVEN]
    rows = Product.alias("given")
    cases = [(rows.id == key, points) for key, points in scores]
    score = peewee.Case(None, cases, 0) if cases else peewee.Value(0)
    select = rows.select(rows.id.alias("product"), score.alias("score"))
    hits = select.where(rows.id.in_([key for key, _ in scores]))
    return Found(hits.alias("hits"), query.wanted, {}, dict(answer.facets or {}))


def _hits(query: Query) -> Any:
    row = SearchRow.alias("found")
    select = row.select(row.product.alias("product"), _score(row, query).alias("score"))
    for condition in _conditions(row, query):
        select = select.where(condition)
    return select.alias("hits")


def _conditions(row: Any, query: Query) -> Iterator[Any]:
    if not query.terms:
        yield peewee.SQL("1 = 0")
    if query.wanted:
        yield _matching(query.wanted)
    for term in query.wanted:
        if any(len(form.words) > 1 for form in term.forms):
            yield _within(row, term)
    for term in query.unwanted:
        yield ~_within(row, term)


def _matching(terms: Iterable[Term]) -> Any:
    return peewee.SQL(*_condition(terms))


def _condition(terms: Iterable[Term]) -> tuple[str, tuple[str, ...]]:
    """Return the condition that the index answers: that all words are there, anywhere."""
    if isinstance(database.obj, peewee.PostgresqlDatabase):
        sql = (
            "array_to_tsvector(array_remove(string_to_array(found.name || found.sku || found.tags "
            "|| found.category || found.description, ' '), '')) @@ %s::tsquery"
        )
        return sql, (for_postgres(terms),)
    sql = "SELECT rowid FROM products_search_text WHERE products_search_text MATCH ?"
    return f"found.id IN ({sql})", (for_sqlite(terms),)


def _at(text: Any, needle: str) -> Any:
    """Return the place where a needle stands in a text, 0 if nowhere."""
    postgres = isinstance(database.obj, peewee.PostgresqlDatabase)
    return getattr(peewee.fn, "strpos" if postgres else "instr")(text, needle)


def _within(row: Any, term: Term) -> Any:
    """Return the condition that a form of a term stands in some field, its words side by side."""
    text = row.name.concat(row.sku).concat(row.tags).concat(row.category).concat(row.description)
    condition = peewee.SQL("1 = 0")
    for form in term.forms:
        condition = (_at(text, form.needle) > 0) | condition
    return condition


def _score(row: Any, query: Query) -> Any:
    """Return how well a row fits: the same numbers on both engines, made of what stands where."""
    if not query.wanted:
        return peewee.Value(0)
    parts = [_points(row, term) for term in query.wanted]
    firsts = [term.forms[0] for term in query.wanted]
    begins = firsts[0].needle
    parts.append(_bonus(_at(row.name, begins) == 1, _BEGINS))
    if query.whole:
        parts.append(_bonus(_at(row.sku, f" {query.whole} ") == 1, _IS_SKU))
    if len(firsts) > 1:
        words = tuple(word for form in firsts for word in form.words)
        together = Form(words, firsts[-1].prefix).needle
        parts.append(_bonus(_at(row.name, together) > 0, _SIDE_BY_SIDE))
    total = parts[0]
    for part in parts[1:]:
        total = peewee.Expression(total, "+", part)
    return total


def _bonus(condition: Any, points: int) -> Any:
    return peewee.Case(None, [(condition, points)], 0)


def _points(row: Any, term: Term) -> Any:
    """Return what the best place of a term is worth; found nowhere else, it is in the text."""
    worth = [
        (points * form.percent // 100, name, needle)
        for form in term.forms
        for name, whole, begun in _POINTS
        for points, needle in ((whole, form.exact), (begun, form.needle))
    ]
    best: dict[tuple[str, str], int] = {}
    for points, name, needle in sorted(worth, reverse=True):
        best.setdefault((name, needle), points)
    cases = [(_at(getattr(row, name), needle) > 0, points)
             for (name, needle), points in best.items()]  # fmt: skip
    return peewee.Case(None, cases, _DESCRIPTION)


def _settled(query: Query) -> tuple[Query, dict[str, tuple[str, ...]]]:
    """Return a query whose words products have: where one has none, those nearest to it.

    Whoever asks, only products that are sold count: else an answer would tell what is in others.
    """
    if not any(term.loose for term in query.wanted) or _is_sold(query.wanted):
        return query, {}
    corrected: dict[str, tuple[str, ...]] = {}
    terms = tuple(_corrected(term, corrected) for term in query.terms)
    return replace(query, terms=terms), corrected


def _corrected(term: Term, corrected: dict[str, tuple[str, ...]]) -> Term:
    if not term.loose or _is_sold([term]):
        return term
    prefix = term.forms[0].prefix
    # A word that products had is still known; it helps nobody who looks for one that they have.
    # And what everybody is told must not stand in products alone that are not sold yet.
    living = (
        item for item in spelling.near(term.loose, prefix=prefix) if _is_sold([_one(item.word)])
    )
    nearest: list[spelling.Near] = []
    for item in living:
        if nearest and (item.edits, item.begins) != (nearest[0].edits, nearest[0].begins):
            break
        nearest.append(item)
    if not nearest:
        return term
    nearest = nearest[:_CORRECTIONS]
    corrected[term.loose] = tuple(item.word for item in nearest)
    forms = (Form((item.word,), prefix, _BY_EDITS[item.edits]) for item in nearest)
    # Who sees products that are not sold finds those that have the word itself.
    return Term((*forms, *term.forms))


def _one(word: str) -> Term:
    return Term((Form((word,)),))


# Planned as if all rows were wanted: for one of them PostgreSQL would rather read the table.
_FIRST = (
    'WITH hits AS MATERIALIZED (SELECT product_id FROM "products_search" AS found WHERE {}) '
    'SELECT 1 FROM hits JOIN "products_product" item ON item.id = hits.product_id '
    "WHERE item.is_active LIMIT 1"
)


def _is_sold(terms: Iterable[Term]) -> bool:
    """Whether the index has a row with all these words, of a product that everybody sees."""
    condition, params = _condition(terms)
    return database.execute_sql(_FIRST.format(condition), params).fetchone() is not None


def found_ids(found: Found) -> list[UUID]:
    """Return the ids of what was found, the best first; for tests and addons."""
    order = (found.hits.c.score.desc(), Product.id)
    query = found.joined(Product.select(Product.id)).order_by(*order)
    return [key for (key,) in query.tuples()]
