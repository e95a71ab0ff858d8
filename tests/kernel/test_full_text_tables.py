"""SQLite's full-text tables over an addon's tables come and go with it."""

from pathlib import Path
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database.structure import full_text_over, plain_tables, tables_of

PLUGIN = """
import peewee
from bodega_sdk import Model, hookimpl


class Page(Model):
    text = peewee.TextField()

    class Meta:
        table_name = "finder_page"


@hookimpl
def register_models():
    return [Page]
"""
PAGES = """def up(migrator, db):
    db.execute_sql("CREATE TABLE finder_page (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    db.execute_sql("CREATE VIRTUAL TABLE finder_words USING fts5 "
                   "(text, content='finder_page', content_rowid='id')")
    db.execute_sql("CREATE TRIGGER finder_took AFTER INSERT ON finder_page BEGIN "
                   "INSERT INTO finder_words (rowid, text) VALUES (NEW.id, NEW.text); END")
"""


@pytest.fixture
def database(empty_shop: Any, engine: str, site: Any) -> Any:
    """The database of a shop with an addon that finds words; only SQLite has such tables."""
    if engine != "sqlite":
        assert full_text_over(empty_shop.databases.shop, ["bodega_event"]) == []
        return None
    site.write("finder", PLUGIN, m0001_pages=PAGES)
    lifecycle.enable(empty_shop, "finder")
    found = empty_shop.databases.shop
    found.execute_sql("INSERT INTO finder_page (id, text) VALUES (3, 'warm lamp'), (7, 'chair')")
    return found


def words(database: Any, text: str) -> list[int]:
    query = "SELECT rowid FROM finder_words WHERE finder_words MATCH ?"
    return [number for (number,) in database.execute_sql(query, (text,)).fetchall()]


def test_a_purge_drops_what_stands_on_the_addons_tables(empty_shop: Any, database: Any) -> None:
    if database is None:
        return
    assert full_text_over(database, ["finder_page"]) == ["finder_words"]
    lifecycle.apply(empty_shop, "purge", "finder")
    assert [table for table in tables_of(database) if table.startswith("finder")] == []


def test_a_restored_archive_is_found_again(empty_shop: Any, database: Any) -> None:
    if database is None:
        return
    change = lifecycle.apply(empty_shop, "uninstall", "finder")
    lifecycle.apply(empty_shop, "install", "finder")
    assert words(database, "lamp") == []
    lifecycle.restore(empty_shop, Path(change.archives[0]))
    assert words(database, "lamp") == [3]
    database.execute_sql("INSERT INTO finder_page (text) VALUES ('cold lamp')")
    assert words(database, "lamp") == [3, 8]


def test_tables_that_a_virtual_table_writes_to_are_no_plain_ones(database: Any) -> None:
    if database is None:
        return
    plain = [table for table in plain_tables(database) if table.startswith("finder")]
    assert plain == ["finder_migration", "finder_page"]
    assert set(plain) < set(tables_of(database))
