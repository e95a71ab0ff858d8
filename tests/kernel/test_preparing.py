"""Reads that come again are prepared on PostgreSQL, and mean what they meant."""

import re
from datetime import UTC
from typing import Any
from uuid import UUID

import peewee
import pytest

from bodega.database.preparing import prepared
from bodega_sdk import transaction, uuid7
from bodega_sdk.models import database
from bodega_sdk.reading import rows_of

THINGS = "/api/v1/things"


@pytest.fixture
def engine() -> str:
    """Only PostgreSQL prepares."""
    return "postgres"


def run(sql: str, *params: Any) -> Any:
    return database.execute_sql(sql, params).fetchall()


def told() -> list[str]:
    return [sql for sql in prepared(database.obj) if "pg_prepared" not in sql]


def test_a_read_that_comes_again_is_prepared(things: Any) -> None:
    for turn in range(5):
        assert run("SELECT name FROM things_thing WHERE size = %s", turn) == []
        assert len(told()) == (1 if turn > 1 else 0)
    assert told()[0].endswith("WHERE size = $1")


def test_a_range_is_planned_by_its_ends(things: Any) -> None:
    for condition in ("size >= %s", "size < %s", "size BETWEEN 1 AND %s", "name > %s"):
        for _ in range(5):
            run(f"SELECT name FROM things_thing WHERE {condition}", "1")
    assert told() == []


def test_a_page_is_planned_by_its_size(things: Any) -> None:
    sql = "SELECT name FROM things_thing WHERE size = %s ORDER BY id LIMIT %s OFFSET %s"
    for _ in range(4):
        run(sql, 1, 20, 0)
        run(sql, 1, 50, 0)
        # Few ask twice for a further one.
        run(sql, 1, 20, 40)
    assert [one.partition(" AS ")[2] for one in sorted(told())] == [
        sql % ("$1", size, 0) for size in (20, 50)
    ]
    for _ in range(4):
        run("SELECT name FROM things_thing ORDER BY id LIMIT %s", 7)
    assert any(one.endswith("ORDER BY id LIMIT 7") for one in told())


def test_further_pages_are_values_of_few_statements(things: Any) -> None:
    # Powers of two: 4 rows, 8, 16 and 32.
    for number in range(23):
        data = {"name": f"n{number:02}", "slug": f"s{number}", "code": f"C{number}", "size": 1}
        things.post(THINGS, data).expect(201)
    shown = [row[0] for row in run("SELECT name FROM things_thing ORDER BY name")]
    for size, page in [(2, page) for page in range(2, 13)] * 4 + [(3, 2), (3, 3), (3, 5)] * 4:
        path = f"{THINGS}?page={page}&page_size={size}&ordering=name"
        # No answer is kept for such a language.
        found = things.get(path, headers={"Accept-Language": "x" * 201}).expect(200)
        names = [item["name"] for item in found["results"]]
        assert names == shown[page * size - size : page * size]
    bounds = [int(size) for sql in told() for size in re.findall(r'LIMIT (\d+)\) AS "first"', sql)]
    assert sorted(bounds) == [4, 8, 8, 16, 16, 32]


def test_an_offset_of_all_rows_is_no_value(things: Any) -> None:
    first = "SELECT id FROM things_thing ORDER BY id LIMIT %s OFFSET %s"
    for _ in range(4):
        run(f'SELECT id FROM ({first}) AS "first"', 50, 20)
        run('SELECT id FROM (SELECT id FROM things_thing) AS "first" LIMIT %s OFFSET %s', 50, 20)
    assert told() == []


def test_values_have_the_types_of_literals(things: Any) -> None:
    data = {"name": "50%", "slug": "x", "code": "X", "size": 7}
    key = things.post(THINGS, data).expect(201)["id"]
    cases: list[tuple[str, tuple[Any, ...]]] = [
        ("SELECT name FROM things_thing WHERE id = %s", (UUID(key),)),
        ("SELECT name FROM things_thing WHERE id = %s", (key,)),
        ("SELECT name FROM things_thing WHERE is_hidden = %s", (False,)),
        ("SELECT name FROM things_thing WHERE size > %s LIMIT %s OFFSET %s", (3, 5, 0)),
        ("SELECT name FROM things_thing WHERE size < %s", (2**40,)),
        ("SELECT name FROM things_thing WHERE size < %s", (7.5,)),
        ("SELECT '{\"1\": 2}'::jsonb ->> %s", ("1",)),
        ("SELECT '[5, 6]'::jsonb ->> %s", (1,)),
        ("SELECT %s || name FROM things_thing WHERE '%%' = %s", ("a", "%")),
        ("SELECT %s / 2, pg_typeof(%s)::text", (7, 7)),
        ("SELECT coalesce(%s, 'b')", ("a",)),
        ("SELECT count(*) FROM things_thing WHERE name IN (%s, %s)", ("50%", "%s")),
    ]
    for sql, params in cases:
        first = run(sql, *params)
        for _ in range(4):
            assert run(sql, *params) == first, sql
    assert len(told()) >= 8


def test_a_write_a_lock_and_a_transaction_are_not_prepared(things: Any) -> None:
    for _ in range(5):
        run("UPDATE things_thing SET size = %s RETURNING size", 1)
        run("SELECT name FROM things_thing WHERE name LIKE %s", "a%")
        with transaction():
            run("SELECT name FROM things_thing WHERE size = %s FOR UPDATE", 1)
            run("SELECT code FROM things_thing WHERE size = %s", 1)
    assert told() == []


def test_an_error_is_what_it_would_be_and_the_connection_goes_on(things: Any) -> None:
    sql = "SELECT name FROM things_thing WHERE id = %s"
    for _ in range(4):
        run(sql, str(uuid7()))
    for _ in range(2):
        with pytest.raises(peewee.DataError, match="invalid input syntax for type uuid"):
            run(sql, "no id")
    assert run(sql, str(uuid7())) == []


def test_a_statement_that_is_gone_or_changed_its_shape_is_run_plainly(things: Any) -> None:
    sql = "SELECT size FROM things_thing WHERE size = %s"
    for _ in range(4):
        run(sql, 1)
    assert told()
    database.execute_sql("DEALLOCATE ALL")
    assert run(sql, 1) == []
    other = "SELECT size FROM things_thing WHERE size > %s"
    for _ in range(4):
        run(other, 1)
    database.execute_sql("ALTER TABLE things_thing ALTER COLUMN size TYPE BIGINT")
    assert run(other, 1) == []


def test_a_connection_prepares_so_many_and_no_more(things: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("bodega.database.preparing._MOST", 3)
    for number in range(6):
        for _ in range(4):
            run(f"SELECT {number} WHERE 1 = %s", 1)
    assert len(told()) == 3


def test_instants_are_of_one_zone_whatever_the_connections_is(things: Any, site: Any) -> None:
    thing = site.module("things", "models").Thing
    thing.create(name="n", slug="s", code="C")
    wanted = [row.created_at for row in thing.select()]
    assert rows_of(thing.select())[0].created_at == wanted[0]
    with transaction():
        database.execute_sql("SET LOCAL TIME ZONE 'Asia/Tokyo'")
        (found,) = rows_of(thing.select())
    assert (found.created_at, found.created_at.tzinfo) == (wanted[0], UTC)
