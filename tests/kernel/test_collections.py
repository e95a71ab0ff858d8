"""Counts: always exact, whatever wrote, and not counted again when nothing did."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from falcon import testing
from peewee import fn

from bodega.database.tables import JobRow
from bodega.http.gate import Gate
from bodega_accounts.models import Account
from bodega_products.models import Product, Variant
from bodega_sdk import Model, database, transaction, uuid7
from bodega_sdk.bulk import insert_or_update
from bodega_sdk.runtime import runtime


@pytest.fixture
def note(notes_shop: Any, site: Any) -> Any:
    """The model of notes; one note is there."""
    return site.module("notes", "models").Note


@pytest.fixture
def counted(notes_shop: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The counting queries that reached the database."""
    database, queries = notes_shop.databases.shop, []
    execute = database.execute_sql

    def spy(sql: str, *arguments: Any, **options: Any) -> Any:
        if "COUNT(" in sql:
            queries.append(sql)
        return execute(sql, *arguments, **options)

    monkeypatch.setattr(database, "execute_sql", spy)
    return queries


def count(model: Any, *conditions: Any) -> int:
    return runtime().count(model.select().where(*conditions) if conditions else model.select())


def add(note: type[Model], title: str = "x") -> Any:
    return note.create(title=title)


def add_many(note: Any) -> None:
    stamp = note.get().created_at
    row = {"created_at": stamp, "updated_at": stamp, "title": "x"}
    note.insert_many([{"id": uuid7(), **row} for _ in range(3)]).execute()


def upsert(note: Any) -> None:
    stamp = note.get().created_at
    with transaction():
        insert_or_update(
            note,
            ["id", "created_at", "updated_at", "title"],
            [(uuid7(), stamp, stamp, "x"), (uuid7(), stamp, stamp, "x")],
            key="id",
            update=["title"],
        )


WRITES: dict[str, tuple[Callable[[Any], Any], int]] = {
    "create": (add, +1),
    "insert_many": (add_many, +3),
    "insert_or_update": (upsert, +2),
    "delete_instance": (lambda note: note.get().delete_instance(), -1),
    "delete": (lambda note: note.delete().execute(), -1),
    "an update": (lambda note: note.update(title="y").execute(), 0),
    "save": (lambda note: note.get().save(), 0),
}


@pytest.mark.parametrize(("write", "change"), WRITES.values(), ids=WRITES)
def test_a_count_follows(note: Any, write: Callable[[Any], Any], change: int) -> None:
    assert count(note) == 1
    write(note)
    assert count(note) == 1 + change == note.select().count()


@pytest.mark.parametrize(("write", "change"), WRITES.values(), ids=WRITES)
def test_a_count_follows_in_a_transaction(
    note: Any, write: Callable[[Any], Any], change: int
) -> None:
    assert count(note) == 1
    with transaction():
        write(note)
    assert count(note) == 1 + change == note.select().count()


def test_a_count_follows_a_transaction_of_peewees_own(note: Any, undone: Any) -> None:
    assert count(note) == 1
    with database.atomic():
        add_many(note)
    assert count(note) == 4
    with undone(database.atomic()):
        note.delete().execute()
    assert count(note) == 4


@pytest.mark.parametrize(("write", "change"), WRITES.values(), ids=WRITES)
def test_a_count_stays_right_when_a_write_is_rolled_back(
    note: Any, write: Callable[[Any], Any], change: int, undone: Any
) -> None:
    assert count(note) == 1
    with undone(transaction()):
        write(note)
    assert count(note) == 1
    with transaction():
        add(note)
    assert count(note) == 2


def test_raw_sql_is_followed_when_it_says_what_it_changed(notes_shop: Any, note: Any) -> None:
    assert count(note) == 1
    with transaction():
        notes_shop.databases.shop.execute_sql("DELETE FROM notes_note")
        runtime().touch("notes_note")
    assert count(note) == 0


def test_a_filtered_count_follows_updates(note: Any) -> None:
    row = add(note, "red")
    assert count(note, note.title == "red") == 1
    note.update(title="blue").where(note.id == row.id).execute()
    assert count(note, note.title == "red") == 0
    assert count(note, note.title == "blue") == 1


def test_values_that_look_alike_are_counted_apart(note: Any) -> None:
    note.create(title="a", words=1)
    assert count(note, note.words == 1) == 1
    assert count(note, note.words == 2) == 0
    assert count(note, note.title == "1") == 0


def test_nothing_is_counted_again_while_nothing_changes(note: Any, counted: list[str]) -> None:
    for _ in range(5):
        assert count(note) == 1
        assert count(note, note.title == "nobody") == 0
    assert len(counted) == 2
    add(note)
    for _ in range(5):
        assert count(note) == 2
    assert len(counted) == 3


def test_writes_to_other_tables_cause_no_counting(
    notes_shop: Any, note: Any, counted: list[str]
) -> None:
    add(note)
    count(note)
    Account.update(first_name="x").execute()
    notes_shop.assembly.jobs["notes.count_words"].enqueue(note_id=str(uuid7()))
    count(note)
    assert len(counted) == 1


def test_a_write_that_was_rolled_back_causes_no_counting(
    note: Any, counted: list[str], undone: Any
) -> None:
    count(note)
    with undone(transaction()):
        add(note)
    count(note)
    assert len(counted) == 1


def test_a_list_in_the_api_counts_once_for_many_requests(
    notes_shop: Any, note: Any, counted: list[str]
) -> None:
    for page_size in (1, 2, 3, 4):
        answer = testing.simulate_get(Gate(notes_shop), f"/api/v1/notes?page_size={page_size}")
        assert answer.json["count"] == 1
    assert len(counted) == 1


def test_a_count_inside_a_transaction_sees_what_the_transaction_wrote(note: Any) -> None:
    with transaction():
        assert count(note) == 1
        add(note)
        assert count(note) == 2
    assert count(note) == 2


def test_a_count_inside_a_transaction_that_is_rolled_back_is_not_kept(
    note: Any, undone: Any
) -> None:
    with undone(transaction()):
        add(note)
        assert count(note) == 2
    assert count(note) == 1


def test_others_do_not_see_a_count_of_what_is_not_committed(note: Any, threads: Any) -> None:
    with transaction():
        add(note)
        count(note)
        assert threads.run(lambda: count(note)) == [1]
    assert count(note) == 2


def test_a_count_over_two_tables_follows_both(notes_shop: Any, note: Any) -> None:
    pairs = note.select(note.id).from_(note, Account)
    assert runtime().count(pairs) == 1
    add(note)
    assert runtime().count(pairs) == 2
    Account.create(email="b@shop.example", role="user", password="x")
    assert runtime().count(pairs) == 4


def test_a_count_over_a_join_or_a_subquery_follows_both(notes_shop: Any, note: Any) -> None:
    joined = note.select().join(Account, on=(Account.email == note.title))
    nested = note.select().where(note.title.in_(Account.select(Account.email)))
    assert (runtime().count(joined), runtime().count(nested)) == (0, 0)
    Account.create(email="Welcome", role="user", password="x")
    assert (runtime().count(joined), runtime().count(nested)) == (1, 1)


def test_a_count_that_reads_a_table_whose_changes_nobody_notes_is_never_kept(
    notes_shop: Any, note: Any
) -> None:
    waiting = note.select().where(fn.EXISTS(JobRow.select().where(JobRow.status == "queued")))
    assert runtime().count(waiting) == 1
    JobRow.delete().execute()
    assert runtime().count(waiting) == 0


def test_rows_that_go_by_a_cascade_are_followed(shop: Any) -> None:
    product = Product.create(
        name="p", slug="p", sku="p", sku_key="p", price_minor=1, currency="EUR"
    )
    Variant.create(product=product, position=1, price_minor=1)
    assert count(Variant) == 1
    product.delete_instance()
    assert count(Variant) == 0


def test_writers_at_once_neither_deadlock_nor_lose_a_version(note: Any, threads: Any) -> None:
    each, barrier = 10, threading.Barrier(4)

    def write(number: int) -> None:
        barrier.wait(10)
        for turn in range(each):
            with transaction():
                email = f"{number}-{turn}@shop.example"
                account = partial(Account.create, email=email, role="user", password="x")
                # Half of the writers touch the two tables the other way round.
                steps = [partial(add, note), account]
                for step in steps if number % 2 else reversed(steps):
                    step()
            assert count(note) >= 2

    threads.run(*[partial(write, number) for number in range(4)])
    assert count(note) == 1 + 4 * each == note.select().count()
    assert count(Account) == 1 + 4 * each


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_writers_at_once_raise_different_stripes(notes_shop: Any, note: Any, threads: Any) -> None:
    barrier = threading.Barrier(6)

    def write() -> None:
        barrier.wait(10)
        with transaction():
            add(note)
            barrier.wait(10)

    threads.run(*[write] * 6)
    stripes = notes_shop.databases.shop.execute_sql(
        "SELECT count(*) FROM bodega_collection WHERE name = 'notes_note'"
    )
    # Were they all one stripe, each commit would wait for the one before it.
    assert stripes.fetchone()[0] > 1
