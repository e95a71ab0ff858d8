"""Migrations: one history for each owner, one lock for all, all or nothing."""

import time
from pathlib import Path
from typing import Any

import pytest

from bodega import state
from bodega.addons import lifecycle
from bodega.database import tables as kernel_tables
from bodega.database.connection import is_postgres
from bodega.database.migrating import KERNEL_MIGRATIONS, migrate, pending, schema_change
from bodega.database.tables import AddonRow
from bodega.editions import Edition
from bodega.errors import AddonError

KERNEL_TABLES: list[Any] = [
    item
    for item in vars(kernel_tables).values()
    if isinstance(item, type) and item.__module__ == kernel_tables.__name__
]
# What makes the tables is what is tried here.
pytestmark = pytest.mark.from_nothing
CREATE = 'def up(migrator, db): db.execute_sql("CREATE TABLE {} (id INTEGER PRIMARY KEY)")\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the migrations of an owner that a test makes up."""
    made = tmp_path / "migrations"
    made.mkdir()
    return made


@pytest.fixture
def database(empty_shop: Any) -> Any:
    return empty_shop.databases.shop


def test_what_ran_is_no_longer_pending(database: Any, folder: Path) -> None:
    (folder / "0001_first.py").write_text(CREATE.format("odd_first"))
    (folder / "0002_second.py").write_text(CREATE.format("odd_second"))
    assert pending(database, "odd", folder) == ["0001_first", "0002_second"]
    with schema_change(database):
        assert migrate(database, "odd", folder) == ["0001_first", "0002_second"]
    assert pending(database, "odd", folder) == []
    with schema_change(database):
        assert migrate(database, "odd", folder) == []
    assert {"odd_first", "odd_second", "odd_migration"} <= set(database.get_tables())


def test_migrations_run_in_the_order_of_their_numbers(database: Any, folder: Path) -> None:
    for name in ("0010_last", "0002_middle", "0001_first"):
        (folder / f"{name}.py").write_text("def up(migrator, db): pass\n")
    with schema_change(database):
        assert migrate(database, "odd", folder) == ["0001_first", "0002_middle", "0010_last"]


def test_owners_do_not_share_a_history(database: Any, folder: Path) -> None:
    (folder / "0001_first.py").write_text("def up(migrator, db): pass\n")
    with schema_change(database):
        migrate(database, "odd", folder)
    assert pending(database, "even", folder) == ["0001_first"]


FAILING = {
    "bad SQL": 'def up(migrator, db): db.execute_sql("CREATE TABLE")',
    "no such table": 'def up(migrator, db): db.execute_sql("SELECT * FROM no_such_table")',
    "an error of its own": "def up(migrator, db): 1 / 0",
    "a syntax error": "def up(migrator, db:",
    "an import that fails": "import a_module_that_nobody_has",
    "no up()": "nothing = 'to do'",
}


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING)
def test_a_migration_that_fails_names_its_owner_and_leaves_nothing(
    database: Any, folder: Path, source: str
) -> None:
    (folder / "0001_first.py").write_text(CREATE.format("odd_first"))
    (folder / "0002_fails.py").write_text(source)
    before = set(database.get_tables())
    with pytest.raises(AddonError, match="migrations of odd"), schema_change(database):
        migrate(database, "odd", folder)
    assert set(database.get_tables()) == before
    assert pending(database, "odd", folder) == ["0001_first", "0002_fails"]


def test_a_change_of_the_schema_waits_for_the_one_before_it(
    empty_shop: Any, database: Any, threads: Any
) -> None:
    order: list[str] = []

    def change(name: str) -> None:
        with schema_change(database):
            order.append(f"{name} begins")
            time.sleep(0.1)
            order.append(f"{name} ends")

    threads.run(lambda: change("one"), lambda: change("two"))
    first, second = ("one", "two") if order[0] == "one begins" else ("two", "one")
    assert order == [f"{first} begins", f"{first} ends", f"{second} begins", f"{second} ends"]


def test_foreign_keys_are_checked_at_the_end_and_enforced_again_afterwards(
    empty_shop: Any, database: Any, folder: Path
) -> None:
    (folder / "0001_orphan.py").write_text(
        "def up(migrator, db):\n"
        '    db.execute_sql("CREATE TABLE odd_parent (id INTEGER PRIMARY KEY)")\n'
        '    db.execute_sql("CREATE TABLE odd_child (id INTEGER PRIMARY KEY, "\n'
        '                   "parent INTEGER REFERENCES odd_parent (id))")\n'
        '    db.execute_sql("INSERT INTO odd_child (id, parent) VALUES (1, 7)")\n'
    )
    with pytest.raises(AddonError, match="odd"), schema_change(database):
        migrate(database, "odd", folder)
    assert "odd_child" not in database.get_tables()
    if not is_postgres(database):
        assert database.foreign_keys == 1


def test_a_new_shop_has_the_kernels_tables_and_those_of_its_addons(
    new_shop: Any, site: Any
) -> None:
    site.install("notes")
    assert not lifecycle.is_prepared(new_shop)
    done = lifecycle.prepare(new_shop, Edition("test", ("accounts", "notes")))
    assert done.first
    assert "One note was written." in done.lines
    tables = set(new_shop.databases.shop.get_tables())
    assert {table._meta.table_name for table in KERNEL_TABLES} <= tables
    assert {"accounts_account", "notes_note", "notes_migration"} <= tables
    assert lifecycle.is_prepared(new_shop)


def test_preparing_a_prepared_shop_does_nothing(notes_shop: Any) -> None:
    before = state.read_state()
    done = lifecycle.prepare(notes_shop)
    assert (done.first, done.migrations, done.lines) == (False, (), ())
    assert state.read_state() == before


def test_of_several_processes_that_start_a_new_shop_at_once_one_makes_it(
    new_shop: Any, threads: Any, site: Any
) -> None:
    edition = Edition("test", ("accounts",))
    done = threads.run(*[lambda: lifecycle.prepare(new_shop, edition)] * 3)
    assert sorted(item.first for item in done) == [False, False, True]
    assert state.read_generation() == 1


def test_a_new_migration_of_an_enabled_addon_quarantines_it_until_it_ran(
    notes_shop: Any, site: Any
) -> None:
    later = site.package("notes") / "migrations" / "0002_colour.py"
    later.write_text(
        "def up(migrator, db): "
        'db.execute_sql("ALTER TABLE notes_note ADD COLUMN colour VARCHAR(20)")\n'
    )
    site.forget()
    fault = notes_shop.refresh().faults["notes"]
    assert fault.reason == "migration 0002_colour is pending"
    assert fault.remedy == "Run 'bodega addons upgrade notes', or 'bodega migrate'"
    generation = state.read_generation()
    assert lifecycle.prepare(notes_shop).migrations == ("notes 0002_colour",)
    assert state.read_generation() == generation + 1
    assert notes_shop.refresh().faults == {}


def test_an_upgrade_whose_migration_fails_changes_nothing(notes_shop: Any, site: Any) -> None:
    later = site.package("notes") / "migrations" / "0002_fails.py"
    later.write_text("def up(migrator, db): 1 / 0\n")
    site.forget()
    before = state.read_state()
    with pytest.raises(AddonError, match="migrations of notes"):
        lifecycle.prepare(notes_shop)
    assert state.read_state() == before
    assert notes_shop.refresh().faults["notes"].reason == "migration 0002_fails is pending"


def test_a_new_shop_begins_without_an_addon_of_its_edition_that_is_missing(
    new_shop: Any,
) -> None:
    lifecycle.prepare(new_shop, Edition("test", ("accounts", "unicorns")))
    assembly = new_shop.refresh()
    assert [addon.name for addon in assembly.addons] == ["accounts"]
    assert assembly.faults["unicorns"].reason == "its package is not installed"
    assert AddonRow.get_by_id("unicorns").enabled


def test_an_addon_without_an_init_file_has_its_migrations_run(empty_shop: Any, site: Any) -> None:
    package = site.write("loose", m0001_create=CREATE.format("loose_thing"))
    (package / "__init__.py").unlink()
    site.forget()
    lifecycle.enable(empty_shop, "loose")
    assert "loose_thing" in empty_shop.databases.shop.get_tables()


def test_the_kernels_migrations_are_all_there_is_of_its_schema(empty_shop: Any) -> None:
    assert pending(empty_shop.databases.shop, "bodega", KERNEL_MIGRATIONS) == []
    for table in KERNEL_TABLES:
        columns = empty_shop.databases.shop.get_columns(table._meta.table_name)
        assert {column.name for column in columns} == set(table._meta.columns)
