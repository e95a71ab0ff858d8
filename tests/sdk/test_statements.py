"""Statements whose texts are kept are written as peewee writes them, whatever their values."""

import gc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peewee import JOIN, fn

from bodega_sdk import Entity, _statements, database
from bodega_sdk._outline import outlined
from bodega_sdk._statements import written
from bodega_sdk.bulk import among


class Shelf(Entity):
    """What goods lie on."""

    name: Any = peewee.CharField()

    class Meta:
        table_name = "stated_shelf"


class Good(Entity):
    """What lies on a shelf."""

    name: Any = peewee.CharField(null=True)
    size: Any = peewee.IntegerField(default=4)
    code: Any = peewee.FixedCharField(max_length=3, default="")
    shelf: Any = peewee.ForeignKeyField(Shelf, null=True)
    bag: Any = peewee.JSONField(null=True)

    class Meta:
        table_name = "stated_good"


@pytest.fixture(autouse=True, scope="module", params=["sqlite", "postgres"])
def _engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing is run: no database is needed to write what it would be told."""
    kinds = {"sqlite": peewee.SqliteDatabase, "postgres": peewee.PostgresqlDatabase}
    before = database.obj
    database.initialize(kinds[request.param]("nowhere"))
    yield
    database.initialize(before)


def good(*conditions: Any) -> Any:
    return Good.select().where(*conditions)


def joined(*conditions: Any) -> Any:
    query = Good.select(Good, Shelf.id, Shelf.name).join(Shelf, JOIN.LEFT_OUTER)
    return query.where(*conditions) if conditions else query


def other(text: str) -> Any:
    found = Shelf.alias()
    return Good.shelf.in_(found.select(found.id).where(found.name == text))


def of_first(number: int) -> Any:
    first = Good.select(Good.id).order_by(Good.name).limit(64).alias("first")
    return Good.select(first.c.id).from_(first).limit(5).offset(number)


#: What is written for a number; each is of one outline for all numbers.
KNOWN: dict[str, Callable[[int], Any]] = {
    "all rows": lambda n: Good.select(),
    "a number": lambda n: good(Good.size == n),
    "a text": lambda n: good(Good.name == f"{n}%s"),
    "a number for a text": lambda n: good(Good.name == n),
    "a fixed text": lambda n: good(Good.code == f" {n} "),
    "an id": lambda n: good(Good.id == UUID(int=n)),
    "an id as text": lambda n: good(Good.shelf == str(UUID(int=n))),
    "an instant": lambda n: good(Good.created_at < datetime(2026, 1, 1 + n, tzinfo=UTC)),
    "nothing": lambda n: good(Good.name.is_null(), Good.shelf.is_null(False)),
    "and, or, not": lambda n: good((Good.size > n) | ~(Good.name == "a") & (Good.size < 9)),
    "arithmetic": lambda n: good((Good.size + n) * 2 > 7),
    "between": lambda n: good(Good.size.between(n, n + 3)),
    "several": lambda n: good(Good.size.in_([n, n + 1, 5])),
    "several that are text": lambda n: good(Good.name.not_in((f"{n}", "b"))),
    "like": lambda n: good(Good.name.startswith(f"a{n}")),
    "like with signs": lambda n: good(Good.name.contains(f"{n}%_")),
    "a function": lambda n: good(fn.LOWER(Good.name) == fn.LOWER(f"A{n}")),
    "a function with a number": lambda n: good(fn.COALESCE(Good.size, n) > 3),
    "a value as it is": lambda n: good(Good.size == peewee.Value(n, converter=False)),
    "a value with a converter": lambda n: good(Good.size == peewee.Value(n, converter=str)),
    "text of SQL": lambda n: good(peewee.SQL("1 = 0") | (Good.size == n)),
    "a page": lambda n: joined().order_by(Good.size.desc(), Good.id).limit(n + 1).offset(n * 9),
    "a join": lambda n: joined(Shelf.name == f"{n}", Good.size > 3),
    "a subquery": lambda n: good(Good.shelf.in_(Shelf.select(Shelf.id).where(Shelf.name == n))),
    "a subquery of an alias": lambda n: good(other(f"{n}")),
    "two aliases": lambda n: good(other(f"{n}"), other("x")),
    "itself": lambda n: (
        lambda more: Good.select(Good, more.name).join(more, on=(more.id == Good.id)).where(
            more.size == n)
    )(Good.alias()),
    "a union": lambda n: good(
        Good.id.in_(Good.select(Good.id).where(Good.size == n) | Shelf.select(Shelf.id))),
    "an expression that is read": lambda n: Good.select(Good, (Good.size + n).alias("larger")),
    "a case": lambda n: good(peewee.Case(None, [(Good.size == n, 1), (Good.size > 9, n)], 0) == 1),
    "a case that is read": lambda n: Good.select(
        Good.id, peewee.Case(None, [(fn.EXISTS(Shelf.select().where(Shelf.name == f"{n}")), 1)], 0)
        .coerce(False)),
    "a subquery that is joined": lambda n: (
        lambda inner: Good.select().join(inner, on=(inner.c.id == Good.shelf_id))
    )(Shelf.select(Shelf.id).where(Shelf.name == f"{n}").alias("inner")),
    "some of the first ones": lambda n: good(Good.id.in_(of_first(n))),
    "ids among": lambda n: good(among(Good.id, [UUID(int=n), UUID(int=7)])),
    "values among": lambda n: good(among(Good.size, [n, 7])),
}  # fmt: skip


def two_subqueries(number: int, *, turned: bool = False) -> Any:
    pair = [Shelf.select(Shelf.id).alias("one"), Shelf.select(Shelf.id).alias("two")]
    shown = pair[turned].c.id
    return Good.select(shown).from_(Good, *pair).where(Good.size == number)


#: What has no outline, or one that is not trusted; it is written anyway.
UNKNOWN: dict[str, Callable[[int], Any]] = {
    "nothing among": lambda n: good(Good.size.in_([])),
    "a great many": lambda n: good(Good.size.in_(list(range(500 + n)))),
    "JSON": lambda n: good(Good.bag == {"a": n}),
    "a path in JSON": lambda n: good(Good.bag["a"] == n),
    "a row": lambda n: good(Good.shelf == Shelf(id=UUID(int=n), name="s")),
    "each once": lambda n: Good.select(Good.name).distinct().where(Good.size == n),
    "groups": lambda n: Good.select(Good.name, fn.COUNT(Good.id)).group_by(Good.name),
    "a case of values": lambda n: good(peewee.Case(Good.size, [(n, 1)], 0) == 1),
    "a case beside a column": lambda n: good(Good.size == peewee.Case(None, [(Good.size == n, 1)])),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_kept_is_what_peewee_writes(name: str) -> None:
    make = KNOWN[name]
    _statements._texts.clear()
    for number in (1, 2, 1, 3):
        assert written(make(number)) == make(number).sql()
    ((text, _),) = _statements._texts.values()
    assert text == make(5).sql()[0]


def test_subqueries_are_not_taken_for_each_other() -> None:
    _statements._texts.clear()
    for turned in (False, True, False, True):
        for number in (1, 2):
            query = two_subqueries(number, turned=turned)
            assert written(query) == query.sql()
    assert len(_statements._texts) == 2


def test_a_lock_is_part_of_what_is_kept() -> None:
    # SQLite has none: there it is nothing to keep.
    kinds = ("FOR UPDATE", "FOR NO KEY UPDATE", "FOR UPDATE SKIP LOCKED")
    for kind in kinds if database.obj.for_update else ():
        for number in (1, 2):
            query = good(Good.size == number).for_update(kind)
            assert written(query) == query.sql()
            assert kind in written(query)[0]
    assert " FOR " not in written(good(Good.size == 1))[0]


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_written_by_peewee(name: str) -> None:
    make = UNKNOWN[name]
    _statements._texts.clear()
    for number in (1, 2, 1, 3):
        text, values = written(make(number))
        usual = make(number).sql()
        assert text == usual[0]
        # What psycopg2 wraps JSON in is never equal.
        assert values == usual[1] or "JSON" in name
    assert "JSON" in name or all(text is None for text, _ in _statements._texts.values())


_ATOMS = st.sampled_from(
    [make for name, make in KNOWN.items() if make(1)._where is not None and name != "itself"]
)
_WHERE = st.recursive(
    st.tuples(_ATOMS, st.integers(0, 9)).map(lambda pair: pair[0](pair[1])._where),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=5,
)


@given(_WHERE, st.booleans(), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))
def test_no_two_statements_are_taken_for_each_other(
    where: Any, wide: bool, limit: int | None, offset: int | None
) -> None:
    query = joined(where) if wide else good(where)
    query = query.order_by(Good.id).limit(limit).offset(offset)
    assert written(query) == query.sql()


@pytest.mark.slow
def test_a_model_that_has_gone_is_not_taken_for_another() -> None:
    for number in range(30):
        fields = {"size": peewee.IntegerField(), "Meta": type("Meta", (), {"database": database})}
        made: Any = type(f"Brief{number}", (peewee.Model,), fields)
        for _ in range(2):
            query = made.select(made.size).where(made.size == number)
            assert written(query) == query.sql()
        del made, query, fields
        gc.collect()


def test_the_texts_that_are_kept_are_bounded() -> None:
    for number in range(2 * _statements._MOST):
        written(Good.select().where(peewee.SQL(f"{number} = 0")))
    assert len(_statements._texts) <= _statements._MOST


def test_any_number_of_ids_is_one_statement_of_postgresql() -> None:
    ids = [UUID(int=number) for number in range(300)]
    texts = {written(good(among(Good.shelf, ids[:number])))[0] for number in (1, 2, 50, 300)}
    of_postgres = isinstance(database.obj, peewee.PostgresqlDatabase)
    assert len(texts) == (1 if of_postgres else 4)
    assert outlined(good(among(Good.shelf, ids))) is not None
