"""Rows are read as peewee would read them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from bodega_sdk import Entity, database
from bodega_sdk.bulk import among
from bodega_sdk.reading import Plan, _plans, rows_of, written


class Group(Entity):
    """What things belong to."""

    name: Any = peewee.CharField()

    class Meta:
        table_name = "read_group"


class Item(Entity):
    """A thing."""

    name: Any = peewee.CharField(null=True)
    size: Any = peewee.IntegerField(default=4)
    group: Any = peewee.ForeignKeyField(Group, null=True)

    class Meta:
        table_name = "read_item"


class Extra(peewee.Model):
    """What a thing has too."""

    id: Any = peewee.UUIDField(primary_key=True)
    points: Any = peewee.IntegerField(null=True)

    class Meta:
        table_name = "read_extra"
        database = database


@pytest.fixture(autouse=True)
def _tables(tmp_path: Path) -> Iterator[None]:
    own = peewee.SqliteDatabase(str(tmp_path / "rows.sqlite"))
    before = database.obj
    database.initialize(own)
    own.create_tables([Group, Item, Extra])
    group = Group.create(name="g")
    for number in range(4):
        row = Item.create(
            name=f"i{number}" if number else None, group=group if number % 2 else None
        )
        if number > 1:
            Extra.create(id=row.id, points=number if number > 2 else None)
    _plans.clear()
    yield
    own.close()
    database.initialize(before)


def joined() -> Any:
    query = Item.select(Item, Group.id, Group.name).join(Group, peewee.JOIN.LEFT_OUTER)
    return query.join_from(Item, Extra, peewee.JOIN.LEFT_OUTER, on=Extra.id == Item.id,
                           attr="more").select_extend(Extra)  # fmt: skip


QUERIES: dict[str, tuple[Callable[[], Any], bool]] = {
    "all columns": (lambda: Item.select(), True),
    "some columns": (lambda: Item.select(Item.id, Item.size), True),
    "an alias": (lambda: Item.select(Item, (Item.size + 1).alias("larger")), True),
    "a renamed column": (lambda: Item.select(Item.id, Item.size.alias("wide")), True),
    "a function": (lambda: Item.select(Item, peewee.fn.UPPER(Item.name).alias("loud")), True),
    "joins": (joined, True),
    "joins and an alias": (lambda: joined().select_extend(Item.size.alias("wide")), True),
    "an inner join": (lambda: Item.select(Item, Group).join(Group), False),
    "a join that shows nothing": (lambda: Item.select().join(Group), True),
}


def told(row: Any) -> Any:
    if not isinstance(row, peewee.Model):
        return row
    plain = {name: told(value) for name, value in vars(row).items() if not name.startswith("_")}
    related = {name: told(value) for name, value in row.__rel__.items()}
    return type(row), row.__data__, plain, related, row._dirty


@pytest.mark.parametrize("name", QUERIES)
def test_rows_are_what_peewee_makes_of_them(name: str) -> None:
    query, planned = QUERIES[name]
    usual = [told(row) for row in query().order_by(Item.id)]
    assert usual
    for _ in range(3):
        assert [told(row) for row in rows_of(query().order_by(Item.id))] == usual
    assert [isinstance(plan, Plan) for plan in _plans.values()] == [planned]


def test_a_row_that_was_read_can_be_changed_and_saved() -> None:
    (row,) = rows_of(Item.select().where(Item.name == "i1"))
    row.size = 9
    assert row.is_dirty()
    row.save()
    assert Item.get(Item.name == "i1").size == 9
    assert row.group.name == "g"


def test_what_is_joined_is_where_each_query_wants_it() -> None:
    def named(attribute: str) -> Any:
        query = Item.select().join_from(Item, Extra, peewee.JOIN.LEFT_OUTER, attr=attribute,
                                        on=Extra.id == Item.id)  # fmt: skip
        return query.select_extend(Extra).where(Item.name == "i3")

    assert [row.one.points for row in rows_of(named("one"))] == [3]
    assert [row.two.points for row in rows_of(named("two"))] == [3]


def test_a_statement_is_written_as_peewee_writes_it() -> None:
    nested = Item.select(Item.id).where(Item.group.in_(Group.select(Group.id)))
    more = {"nested": (lambda: Item.select().where(Item.id.in_(nested)), True)}
    other = Item.alias()
    more["self"] = (lambda: Item.select(Item, other.name).join(other, on=other.id == Item.id), True)
    for make, _ in {**QUERIES, **more}.values():
        for _ in range(3):
            query = make().where(Item.size > 3).order_by(Item.id).limit(2)
            assert written(query) == query.sql()


def test_many_values_are_found_among_as_in() -> None:
    keys = [row.id for row in Item.select()]
    groups = [row.id for row in Group.select()]
    for field, values in (
        (Item.id, keys[:3]),
        (Item.group, groups),
        (Item.size, []),
        (Item.id, []),
    ):
        usual = Item.select().where(field.in_(values)).order_by(Item.id)
        mine = Item.select().where(among(field, values)).order_by(Item.id)
        assert list(mine) == list(usual) == rows_of(mine)
