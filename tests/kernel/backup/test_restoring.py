"""A restored shop has what the shop had, and goes on."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.backup.contents import ODD, everything
from tests.kernel.backup.marks import ONE_ENGINE, Fresh

from bodega import processes, state
from bodega.addons import lifecycle
from bodega.backup import read_info, restore_backup, write_backup
from bodega.database.connection import is_postgres
from bodega.errors import OperatorError
from bodega.http.gate import Gate
from bodega.jobs.stream import EventStream
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing.deployment import ADMIN


def test_a_restored_shop_has_the_same_tables_rows_and_files(
    filled: Shop, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []
    info = write_backup(filled, tmp_path / "shop.zip", progress=lambda *seen: told.append(seen))
    before = everything(filled)
    counts = {entry.table: entry.rows for entry in info.tables}
    assert info.rows == sum(counts.values())
    assert counts.keys() - before[0].keys() == {"bodega_audit", "bodega_audit_head"}
    # The backup is an entry of the audit log, and raises its version.
    kept = before[0].keys() - {"bodega_collection"}
    assert {name: counts[name] for name in kept} == {name: len(before[0][name]) for name in kept}
    assert read_info(tmp_path / "shop.zip") == info
    assert told[-1] == ("done", told[0][2], told[0][2])
    other = opened(fresh())
    assert restore_backup(other, tmp_path / "shop.zip", progress=lambda *_: None) == info
    assert everything(other) == before
    assert lifecycle.is_prepared(other)
    folders = sorted(path.name for path in other.settings.home.iterdir() if path.is_dir())
    assert folders == ["files", "run"]


def test_a_restored_shop_answers_as_before_and_goes_on(
    filled: Shop, client: Any, admin: Any, bundle: Path, fresh: Fresh, opened: Any
) -> None:
    paths = ("/api/v1/products?page_size=200", "/api/v1/imports", "/api/v1/users")
    before = [admin.get(path).json for path in paths]
    assert before[0]["count"] == len(ODD) + 2
    other = opened(fresh())
    restore_backup(other, bundle)
    other.refresh()
    with bound(other.current):
        # Tokens that were given out before are still good.
        again = type(client)(Gate(other), other, admin.token)
        assert [again.get(path).json for path in paths] == before
        again = again.log_in(*ADMIN)
        assert again.log_in("ada@shop.example", "correct horse").token
        made = again.post("/api/v1/products", {"name": "New", "sku": "N", "price": "1"})
        assert made.status_code == 201
        assert again.get("/api/v1/products").json["count"] == before[0]["count"] + 1


def test_a_database_with_tables_is_refused_unless_it_is_to_be_replaced(
    filled: Shop, bundle: Path, admin: Any
) -> None:
    before, database = everything(filled), filled.databases.shop
    with pytest.raises(OperatorError, match=r"has \d+ tables already, .* add --replace"):
        restore_backup(filled, bundle)
    assert everything(filled) == before
    admin.post("/api/v1/products", {"name": "Later", "sku": "LATER", "price": "1"})
    database.execute_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    database.execute_sql("CREATE VIEW latest AS SELECT id FROM later")
    if is_postgres(database):
        database.execute_sql("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        database.execute_sql(
            "CREATE FUNCTION moody(m mood) RETURNS mood LANGUAGE sql AS 'SELECT m'"
        )
        database.execute_sql("CREATE TABLE moods (id INTEGER GENERATED ALWAYS AS IDENTITY, m mood)")
        database.execute_sql("CREATE SEQUENCE numbers")
    else:
        database.execute_sql("CREATE VIRTUAL TABLE words USING fts5 (text)")
    (filled.settings.home / "files" / "later").write_text("later")
    restore_backup(filled, bundle, replace=True)
    assert everything(filled) == before
    if is_postgres(database):
        for query in ("SELECT 'ok'::mood", "SELECT nextval('numbers')", "SELECT moody(NULL)"):
            with pytest.raises(Exception, match="does not exist"):
                database.execute_sql(query)


def test_a_home_with_files_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    other = opened(fresh())
    (other.settings.home / "files" / "a").mkdir(parents=True)
    (other.settings.home / "files" / "a" / "one").touch()
    with pytest.raises(OperatorError, match=r"there are files in .* already; .* add --replace"):
        restore_backup(other, bundle)
    restore_backup(other, bundle, replace=True)
    assert not (other.settings.home / "files" / "a" / "one").exists()


def test_a_running_shop_is_refused_even_to_be_replaced(filled: Shop, bundle: Path) -> None:
    before = everything(filled)
    process = processes.this_process("web", 1)
    filled.register.beat(process)
    with pytest.raises(OperatorError, match=r"the shop is running: web .*; stop it, then restore"):
        restore_backup(filled, bundle, replace=True)
    assert everything(filled) == before
    filled.register.leave(process.id)
    restore_backup(filled, bundle, replace=True)


def test_the_live_events_of_the_shop_that_was_are_forgotten(
    filled: Shop, bundle: Path, opened: Any, redis_server: str
) -> None:
    shop = opened(replace(filled.settings, redis_url=redis_server))
    stream = EventStream.of(shop.settings, state.shop_id())
    assert stream is not None
    stream._redis.xadd(stream.key, {"e": "{}"}, id="999999-0")
    restore_backup(shop, bundle, replace=True)
    assert stream.last() == 0
    stream._redis.close()


@ONE_ENGINE
def test_the_copy_is_a_database_that_sqlite_finds_in_order(
    bundle: Path, fresh: Fresh, opened: Any
) -> None:
    other = fresh()
    restore_backup(opened(other), bundle)
    with closing(sqlite3.connect(other.home / "shop.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
