"""Addons come back as they were, also when their packages are others by now."""

from pathlib import Path
from typing import Any

import pytest
from tests.kernel.backup.contents import everything, nothing_is_there
from tests.kernel.backup.marks import ONE_ENGINE, POSTGRES, Fresh

from bodega.addons import lifecycle
from bodega.backup import restore_backup, write_backup
from bodega.database.connection import is_postgres
from bodega.errors import OperatorError
from bodega.shop import Shop


@POSTGRES
def test_an_addon_whose_package_is_missing_is_named(
    notes_shop: Shop, site: Any, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    write_backup(notes_shop, tmp_path / "shop.zip")
    site.uninstall("notes")
    other = opened(fresh())
    with pytest.raises(
        OperatorError, match=r"has tables of notes 1\.\S+, whose package is not inst"
    ):
        restore_backup(other, tmp_path / "shop.zip")
    assert nothing_is_there(other)


@ONE_ENGINE
def test_sqlite_needs_no_package_and_the_addon_is_quarantined(
    notes_shop: Shop, site: Any, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    write_backup(notes_shop, tmp_path / "shop.zip")
    before = everything(notes_shop)
    site.uninstall("notes")
    other = opened(fresh())
    restore_backup(other, tmp_path / "shop.zip")
    assert everything(other) == before
    assert other.refresh().faults["notes"].reason == "its package is not installed"


def test_the_state_is_that_of_the_backup_though_the_package_is_newer(
    notes_shop: Shop, site: Any, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    write_backup(notes_shop, tmp_path / "shop.zip")
    before = everything(notes_shop)
    later = site.package("notes") / "migrations" / "0002_colour.py"
    later.write_text(
        'def up(migrator, db): db.execute_sql("ALTER TABLE notes_note ADD COLUMN colour TEXT")\n'
    )
    site.forget()
    other = opened(fresh())
    restore_backup(other, tmp_path / "shop.zip")
    assert everything(other) == before
    assert lifecycle.prepare(other).migrations == ("notes 0002_colour",)
    write_backup(other, tmp_path / "newer.zip")
    later.unlink()
    if is_postgres(other.databases.shop):
        with pytest.raises(
            OperatorError, match=r"0002_colour of notes had run .*; install notes 1"
        ):
            restore_backup(opened(fresh("third")), tmp_path / "newer.zip")


@POSTGRES
def test_a_migration_between_those_that_had_run_is_named(
    notes_shop: Shop, site: Any, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    folder = site.package("notes") / "migrations"
    (folder / "0003_last.py").write_text("def up(migrator, db): pass\n")
    site.forget()
    lifecycle.prepare(notes_shop)
    write_backup(notes_shop, tmp_path / "shop.zip")
    (folder / "0002_between.py").write_text("def up(migrator, db): pass\n")
    with pytest.raises(OperatorError, match="0002_between of notes had not run in the backup"):
        restore_backup(opened(fresh()), tmp_path / "shop.zip")


def test_a_disabled_addon_comes_back_disabled_with_its_rows(
    notes_shop: Shop, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    lifecycle.disable(notes_shop, "notes")
    write_backup(notes_shop, tmp_path / "shop.zip")
    before = everything(notes_shop)
    other = opened(fresh())
    restore_backup(other, tmp_path / "shop.zip")
    assert everything(other) == before
    assert [addon.name for addon in other.refresh().addons] == ["accounts"]
    lifecycle.enable(other, "notes")
    assert other.databases.shop.execute_sql("SELECT title FROM notes_note").fetchone() == (
        "Welcome",
    )


SEARCH = {
    "sqlite": """def up(migrator, db):
    db.execute_sql("CREATE TABLE finder_page (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT)")
    db.execute_sql("CREATE VIRTUAL TABLE finder_words USING fts5 "
                   "(text, content='finder_page', content_rowid='id')")
    db.execute_sql("CREATE TRIGGER finder_note AFTER INSERT ON finder_page BEGIN "
                   "INSERT INTO finder_words (rowid, text) VALUES (NEW.id, NEW.text); END")
    db.execute_sql("CREATE VIEW finder_short AS SELECT id FROM finder_page WHERE id < 9")
    db.execute_sql("INSERT INTO finder_page (text) VALUES ('begin')")
""",
    "postgres": """def up(migrator, db):
    db.execute_sql("CREATE TABLE finder_page (id BIGSERIAL PRIMARY KEY, text TEXT, words TSVECTOR "
                   "GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED)")
    db.execute_sql("CREATE INDEX finder_words ON finder_page USING GIN (words)")
    db.execute_sql("INSERT INTO finder_page (text) VALUES ('begin')")
""",
}


def test_a_search_index_and_what_migrations_begin_with_come_back_once(
    empty_shop: Shop, engine: str, site: Any, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    site.write("finder", m0001_pages=SEARCH[engine])
    lifecycle.enable(empty_shop, "finder")
    empty_shop.databases.shop.execute_sql(
        "INSERT INTO finder_page (text) VALUES ('warm lamp'), ('cold lamp')"
    )
    write_backup(empty_shop, tmp_path / "shop.zip")
    before = everything(empty_shop)
    other = opened(fresh())
    for replacing in (False, True):
        restore_backup(other, tmp_path / "shop.zip", replace=replacing)
        assert everything(other) == before
        database = other.databases.shop
        query = (
            "SELECT rowid FROM finder_words WHERE finder_words MATCH 'lamp' ORDER BY 1"
            if engine == "sqlite"
            else "SELECT id FROM finder_page WHERE words @@ 'lamp'::tsquery ORDER BY 1"
        )
        assert database.execute_sql(query).fetchall() == [(2,), (3,)]
        database.execute_sql("INSERT INTO finder_page (text) VALUES ('new lamp')")
        assert database.execute_sql(query).fetchall() == [(2,), (3,), (4,)]
