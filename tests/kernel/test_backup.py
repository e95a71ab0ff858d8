"""Backing up and restoring: the whole shop or nothing, on both engines."""

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bodega import processes, state
from bodega.addons import lifecycle
from bodega.backup import BackupInfo, read_info, restore_backup, write_backup
from bodega.bundles import INDEX, seal
from bodega.database.connection import is_postgres
from bodega.database.structure import quoted, tables_of
from bodega.errors import OperatorError
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.jobs.stream import EventStream
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import ADMIN, Deployment, environment

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
#: Where it matters that a shop was never started.
FROM_NOTHING = pytest.mark.parametrize("from_nothing", [True], ids=["from_nothing"])
POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True)
ODD = ['Café "lamp", 5\'', "a\tb\\nc\\N", "灯 🪔", "e\u0301 \u2028", "{} [null] \\."]
CSV = 'sku,name,price\r\nI-1,"Chair, ""old""",1.00\r\nI-2,Bench,x\r\nI-3,Stool,3\r\n'

Fresh = Callable[..., Settings]


@pytest.fixture
def fresh(
    engine: str, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Fresh]:
    """Make settings of another shop that is not there yet, on the engine of the test."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made: list[str] = []

    def make(name: str = "other", **more: Any) -> Settings:
        url = ""
        if server:
            made.append(f"test_{uuid.uuid4().hex}")
            url = servers.create_database(server, made[-1])
        return replace(settings, home=tmp_path / name, database_url=url, **more)

    yield make
    for database in made:
        servers.drop_database(server, database)


@pytest.fixture
def opened() -> Iterator[Callable[[Settings], Shop]]:
    """Open shops; they are closed behind the test."""
    shops: list[Shop] = []

    def make(settings: Settings) -> Shop:
        shops.append(Shop(settings, build_app, connections=5))
        return shops[-1]

    yield make
    for shop in shops:
        shop.databases.close()


@pytest.fixture
def filled(shop: Shop, admin: Any, worker: Any) -> Shop:
    """A shop with products of odd names, an import with a bad row, accounts and files."""
    for number, text in enumerate(ODD):
        body = {"name": text, "description": text * 50, "sku": f"L-{number}", "price": "29.99"}
        assert admin.post("/api/v1/products", body).status_code == 201
    gone = admin.post("/api/v1/products", {"name": "Gone", "sku": "G", "price": "1"}).json["id"]
    assert admin.delete(f"/api/v1/products/{gone}").status_code == 204
    user = {
        "email": "ada@shop.example",
        "password": "correct horse",
        "role": "staff",
        "first_name": "Ädå",
    }
    assert admin.post("/api/v1/users", user).status_code == 201
    begun = admin.post("/api/v1/imports", body=CSV.encode(), headers={"Content-Type": "text/csv"})
    assert begun.status_code == 202
    worker.run()
    for name, content in {"a/b ü.txt": b"x" * 3_000_000, "a/empty": b"", "z.bin": b"\0\n"}.items():
        path = shop.settings.home / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return shop


def rows_of(database: Any) -> dict[str, list[str]]:
    """Return every row of every table, as the engine prints it.

    The audit log goes on: backing up and restoring are entries themselves.
    """
    found = {}
    for table in tables_of(database):
        if table not in ("bodega_process", "bodega_presence", "bodega_audit", "bodega_audit_head"):
            shown = "t.*::text" if is_postgres(database) else "*"
            cursor = database.execute_sql(f"SELECT {shown} FROM {quoted(table)} t")
            rows = map(repr, cursor.fetchall())
            found[table] = sorted(row for row in rows if "bodega_audit" not in row)
    return found


def schema_of(database: Any) -> list[Any]:
    """Return what the engine says of its tables, columns, indexes and constraints."""
    if not is_postgres(database):
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master"
        return sorted(map(repr, database.execute_sql(query).fetchall()))
    queries = (
        "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, udt_name, "
        "character_maximum_length FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    )
    rows = [repr(row) for query in queries for row in database.execute_sql(query).fetchall()]
    return sorted(rows)


def files_of(home: Path) -> dict[str, bytes]:
    folder = home / "files"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def everything(shop: Shop) -> tuple[Any, ...]:
    """Return all that a backup must bring back."""
    database = shop.databases.shop
    return rows_of(database), schema_of(database), files_of(shop.settings.home)


@pytest.fixture
def bundle(filled: Shop, tmp_path: Path) -> Path:
    """A backup of the filled shop."""
    write_backup(filled, tmp_path / "shop.zip")
    return tmp_path / "shop.zip"


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


def nothing_is_there(shop: Shop) -> bool:
    home = shop.settings.home
    left = [path.name for path in home.glob("*") if path.is_dir() and path.name != "run"]
    return tables_of(shop.databases.shop) == [] and left == []


def test_a_flipped_byte_is_refused_wherever_it_is_and_nothing_is_written(
    bundle: Path, fresh: Fresh, opened: Any
) -> None:
    other, whole = opened(fresh()), bundle.read_bytes()
    chance = random.Random(7)
    places = {0, 5, len(whole) - 1, len(whole) - 70, len(whole) - 100}
    places |= {chance.randrange(len(whole)) for _ in range(40)}
    for place in sorted(places):
        content = bytearray(whole)
        content[place] ^= 1 << chance.randrange(8)
        bundle.write_bytes(content)
        with pytest.raises(OperatorError, match=r"is damaged|is not a backup"):
            restore_backup(other, bundle)
    assert nothing_is_there(other)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99, -1, -64, -86, -120])
@ONE_ENGINE
def test_a_file_that_is_cut_off_is_refused(
    bundle: Path, fresh: Fresh, opened: Any, kept: float
) -> None:
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[: int(kept * len(whole)) if kept >= 0 else int(kept)])
    other = opened(fresh())
    with pytest.raises(OperatorError, match="is cut off"):
        restore_backup(other, bundle)
    with pytest.raises(OperatorError, match="is cut off"):
        read_info(bundle)
    assert nothing_is_there(other)


def resealed(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a bundle with other content, under a seal that is right."""
    with zipfile.ZipFile(path) as bundle:
        members = {name: bundle.read(name) for name in bundle.namelist()}
        comment = bundle.comment
    change(members)
    target = path.with_name("resealed.zip")
    with target.open("w+b") as file:
        with zipfile.ZipFile(file, "w") as bundle:
            for name, content in members.items():
                bundle.writestr(name, content)
            bundle.comment = comment
        seal(file)
    return target


def index(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    """Return a change of what a bundle says about itself."""

    def edit(members: dict[str, bytes]) -> None:
        told = json.loads(members[INDEX])
        change(told)
        members[INDEX] = json.dumps(told).encode()

    return edit


def test_what_is_no_backup_is_refused(tmp_path: Path, fresh: Fresh, opened: Any) -> None:
    other = opened(fresh())
    (tmp_path / "notes.txt").write_text("not a zip file")
    with zipfile.ZipFile(tmp_path / "any.zip", "w") as archive:
        archive.writestr("a", "b")
    for name in ("notes.txt", "any.zip"):
        with pytest.raises(OperatorError, match=f"{name} is not a backup of Bodega"):
            restore_backup(other, tmp_path / name)
    for name in ("none.zip", "."):
        with pytest.raises(OperatorError, match=r"cannot read .*; name a file"):
            restore_backup(other, tmp_path / name)


@ONE_ENGINE
def test_a_newer_format_is_refused_naming_the_version(
    bundle: Path, fresh: Fresh, opened: Any
) -> None:
    newer = resealed(bundle, index(lambda told: told.update(format=2, bodega="9.0")))
    with pytest.raises(
        OperatorError, match=r"has format 2, .* reads 1; restore it with Bodega 9\.0"
    ):
        restore_backup(opened(fresh()), newer)


def test_another_engine_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    other = opened(fresh())
    here = "PostgreSQL" if is_postgres(other.databases.shop) else "SQLite"
    engine = "sqlite" if here == "PostgreSQL" else "postgresql"
    alien = resealed(bundle, index(lambda told: told.update(engine=engine)))
    with pytest.raises(OperatorError, match=f"and this one runs on {here}; (un)?set DATABASE_URL"):
        restore_backup(other, alien)
    assert nothing_is_there(other)


@ONE_ENGINE
def test_a_backup_of_a_newer_kernel_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    def later(told: dict[str, Any]) -> None:
        told["migrations"]["bodega"].append("0999_later")

    with pytest.raises(OperatorError, match=r"0999_later of bodega had run .*; install Bodega"):
        restore_backup(opened(fresh()), resealed(bundle, index(later)))


@ONE_ENGINE
def test_a_file_outside_its_folder_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    for path in ("../outside", "/outside", "a/../../outside"):
        evil = resealed(bundle, index(lambda told, path=path: told["files"][0].update(path=path)))
        with pytest.raises(OperatorError, match="outside its folder"):
            restore_backup(opened(fresh()), evil)
    assert not list(bundle.parent.rglob("outside"))


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


def test_a_restore_that_fails_at_its_end_leaves_everything_as_it_was(
    filled: Shop, bundle: Path, fresh: Fresh, opened: Any
) -> None:
    def twice(members: dict[str, bytes]) -> None:
        """Bring in an account twice, in a file that is otherwise in order."""
        told = json.loads(members[INDEX])
        [entry] = [item for item in told["tables"] if item["table"] == "accounts_account"]
        members[entry["member"]] *= 2
        entry["rows"] *= 2
        entry["sha256"] = hashlib.sha256(members[entry["member"]]).hexdigest()
        members[INDEX] = json.dumps(told).encode()

    bad, before, other = resealed(bundle, twice), everything(filled), opened(fresh())
    with pytest.raises(OperatorError, match=r"accounts_account cannot be loaded: .*(?i:unique)"):
        restore_backup(other, bad)
    assert nothing_is_there(other)
    again = opened(filled.settings)
    with pytest.raises(OperatorError, match="cannot be loaded"):
        restore_backup(again, bad, replace=True)
    assert everything(again) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from bodega.backup import restore_backup, write_backup
from bodega.settings import read_settings
from bodega.shop import Shop

calls = int(sys.argv[3])

def progress(what, done, of):
    global calls
    calls -= 1
    if calls == 0 or what == "done":
        os.kill(os.getpid(), signal.SIGKILL)

shop, path = Shop(read_settings(), connections=3), Path(sys.argv[2])
if sys.argv[1] == "backup":
    write_backup(shop, path, overwrite=True, progress=progress)
else:
    restore_backup(shop, path, replace=True, progress=progress)
"""


def killed(settings: Settings, verb: str, path: Path, calls: int) -> None:
    """Kill a process that backs up or restores, at a moment of its progress."""
    done = command(settings, verb, str(path), str(calls), run=("-c", KILLED))
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("calls", [2, 9, 1000])
def test_who_is_killed_leaves_the_shop_and_the_file_as_they_were(
    filled: Shop, bundle: Path, calls: int
) -> None:
    """Killed while files are unpacked, while tables are loaded, and just before the commit."""
    whole = bundle.read_bytes()
    killed(filled.settings, "backup", bundle, calls)
    assert bundle.read_bytes() == whole
    filled.databases.shop.execute_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    (filled.settings.home / "files" / "later").write_text("later")
    before = everything(filled)
    killed(filled.settings, "restore", bundle, calls)
    assert everything(filled) == before
    restore_backup(filled, bundle, replace=True)
    assert "later" not in rows_of(filled.databases.shop)
    assert not (filled.settings.home / "restoring").exists()


@ONE_ENGINE
def test_files_go_back_when_the_commit_fails(filled: Shop, bundle: Path) -> None:
    """A row that points to none is found when everything is in its place already."""

    def orphan(members: dict[str, bytes]) -> None:
        told = json.loads(members[INDEX])
        [entry] = [item for item in told["tables"] if item["table"] == "imports_import"]
        members[entry["member"]], entry["rows"] = b"", 0
        entry["sha256"] = hashlib.sha256(b"").hexdigest()
        members[INDEX] = json.dumps(told).encode()

    (filled.settings.home / "files" / "later").write_text("later")
    before = everything(filled)
    with pytest.raises(OperatorError, match=r"imports_(bad_row|change)"):
        restore_backup(filled, resealed(bundle, orphan), replace=True)
    assert everything(filled) == before
    assert not [path for path in filled.settings.home.iterdir() if path.name.startswith("re")]


def test_a_backup_of_a_shop_that_is_written_to_is_of_one_moment(
    shop: Shop, admin: Any, threads: Any, fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    ended = threading.Event()

    def write() -> int:
        made = 0
        while not ended.is_set():
            body = {"name": f"Lamp {made}", "sku": f"{threading.get_ident()}-{made}", "price": "1"}
            made += admin.post("/api/v1/products", body).status_code == 201
        return made

    writers = [threads.start(write), threads.start(write)]
    infos = []
    for number in range(5):
        time.sleep(0.3)
        infos.append(write_backup(shop, tmp_path / f"{number}.zip"))
    ended.set()
    assert sum(writer.result() for writer in writers) > 5
    counts = [_count(info, "products_product") for info in infos]
    assert sorted(set(counts)) == counts, "each backup has more than the one before"
    for number, count in enumerate(counts):
        other = opened(fresh(f"other-{number}"))
        restore_backup(other, tmp_path / f"{number}.zip")
        found = other.databases.shop.execute_sql(
            "SELECT (SELECT count(*) FROM products_product), "
            "(SELECT count(*) FROM bodega_event WHERE name = 'product.created')"
        ).fetchone()
        assert tuple(found) == (count, count)


def _count(info: BackupInfo, table: str) -> int:
    return next(entry.rows for entry in info.tables if entry.table == table)


def test_a_backup_keeps_no_writer_waiting(filled: Shop, threads: Any, tmp_path: Path) -> None:
    def touch() -> float:
        begun = time.monotonic()
        filled.databases.shop.execute_sql("UPDATE products_product SET is_featured = is_active")
        return time.monotonic() - begun

    def progress(what: str, done: int, of: int) -> None:
        if done == 1:
            assert threads.start(touch).result() < 1

    write_backup(filled, tmp_path / "shop.zip", progress=progress)


def test_a_file_that_is_there_is_not_overwritten(filled: Shop, bundle: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(OperatorError, match="exists; name another file with --out or add --force"):
        write_backup(filled, bundle)
    assert bundle.read_bytes() == before
    write_backup(filled, bundle, overwrite=True)
    assert read_info(bundle).engine
    assert bundle.stat().st_mode & 0o777 == 0o600


@ONE_ENGINE
def test_what_is_no_regular_file_is_never_replaced(filled: Shop, tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder):
        with pytest.raises(OperatorError, match="is not a regular file"):
            write_backup(filled, path, overwrite=True)
    assert pipe.is_fifo()


@ONE_ENGINE
def test_a_backup_that_fails_leaves_no_file(filled: Shop, bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()

    def fail(what: str, done: int, of: int) -> None:
        if done == of // 2:
            raise OSError(28, "No space left on device")

    with pytest.raises(OperatorError, match=r"cannot write the backup: No space left.*; see that"):
        write_backup(filled, bundle, overwrite=True, progress=fail)
    assert bundle.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(OperatorError, match=r"cannot write .*nowhere/shop\.zip\.part: No such"):
        write_backup(filled, tmp_path / "nowhere" / "shop.zip")
    with pytest.raises(OperatorError, match="keep backups outside"):
        write_backup(filled, filled.settings.home / "files" / "shop.zip")


@ONE_ENGINE
def test_a_part_that_a_killed_process_left_is_written_over(filled: Shop, tmp_path: Path) -> None:
    part = tmp_path / "shop.zip.part"
    part.write_bytes(b"left" * 1_000_000)
    write_backup(filled, tmp_path / "shop.zip")
    assert not part.exists()
    assert (tmp_path / "shop.zip").stat().st_size < 1_000_000
    refused: list[str] = []

    def second(what: str, done: int, of: int) -> None:
        if not refused:
            with pytest.raises(OperatorError, match="is being written by another"):
                write_backup(filled, tmp_path / "other.zip")
            refused.append(what)

    write_backup(filled, tmp_path / "other.zip", progress=second)
    assert refused


@FROM_NOTHING
def test_there_is_no_backup_of_a_shop_that_is_not_there(new_shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no shop here"):
        write_backup(new_shop, tmp_path / "shop.zip")
    assert not list(tmp_path.glob("shop.zip*"))


@ONE_ENGINE
def test_the_secret_key_is_inside_only_when_asked_for(
    fresh: Fresh, opened: Any, tmp_path: Path
) -> None:
    one, two = fresh("one", secret_key=""), fresh("two", secret_key="")
    shop = opened(one)
    lifecycle.prepare(shop)
    assert not write_backup(shop, tmp_path / "without.zip").secret_key
    assert write_backup(shop, tmp_path / "with.zip", with_secret_key=True).secret_key
    with zipfile.ZipFile(tmp_path / "without.zip") as bundle:
        assert "secret.key" not in bundle.namelist()
        told = b"".join(map(bundle.read, bundle.namelist()))
    assert one.key() not in told
    other_key = two.key()
    restore_backup(opened(two), tmp_path / "with.zip")
    assert two.key() == one.key() != other_key
    assert (two.home / "secret.key").stat().st_mode & 0o777 == 0o600
    [aside] = two.home.glob("replaced-*")
    assert (aside / "secret.key").read_bytes() == other_key
    assert opened(two).keys.current == shop.keys.current
    told_key = fresh("three", secret_key="a key that the environment gives")
    restore_backup(opened(told_key), tmp_path / "with.zip")
    assert not (told_key.home / "secret.key").exists()


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


def command(
    settings: Settings, *arguments: str, given: str = "", run: tuple[str, ...] = ("-m", "bodega")
) -> Any:
    """Run ``bodega …`` on a shop to its end."""
    environ = environment(settings.home) | {
        "DATABASE_URL": settings.database_url,
        "BODEGA_SECRET_KEY": settings.secret_key,
    }
    return subprocess.run(
        [sys.executable, *run, *arguments],
        env=environ, input=given, capture_output=True, text=True, timeout=90, check=False,
        cwd=settings.home.parent,
    )  # fmt: skip


@pytest.mark.slow
def test_the_commands_back_up_and_restore(filled: Shop, fresh: Fresh, tmp_path: Path) -> None:
    done = command(filled.settings, "backup", "--out", "shop.zip", "--json")
    assert done.returncode == 0, done.stderr
    told, other = json.loads(done.stdout), fresh()
    assert told["file"] == str(tmp_path / "shop.zip")
    assert (told["files"], told["secret_key"]) == (len(files_of(filled.settings.home)), False)
    restored = command(other, "restore", "shop.zip")
    assert restored.returncode == 0, restored.stderr
    assert restored.stderr == ""
    assert restored.stdout.startswith("Restored the shop as it was at ")
    doctor = command(other, "doctor")
    assert doctor.returncode == 0, doctor.stdout
    refused = command(other, "restore", "shop.zip")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: the database has {told['tables']} tables already")
    for given in ("n\n", ""):
        kept = command(other, "restore", "shop.zip", "--replace", given=given)
        assert kept.returncode == 1
        assert kept.stderr.endswith("Error: nothing was changed; answer y, or add --yes\n")
    for options, given in ((("--yes", "--json"), ""), (("--json",), "y\n")):
        again = command(other, "restore", "shop.zip", "--replace", *options, given=given)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["warnings"] == []
    rekeyed = command(
        replace(other, secret_key="another key, not that of the shop"),
        "restore", "shop.zip", "--replace", "--yes",
    )  # fmt: skip
    assert rekeyed.returncode == 0
    assert "Warning: BODEGA_SECRET_KEY is not the key this shop was made with" in rekeyed.stderr


@ONE_ENGINE
@FROM_NOTHING
def test_the_commands_fail_with_one_sentence_and_make_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    done = command(settings, "backup")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: there is no shop in {settings.home}; name its home")
    missing = command(settings, "restore", "missing.zip")
    assert missing.returncode == 1
    assert missing.stderr.count("\n") == 1
    assert "missing.zip: No such file or directory; name a file" in missing.stderr
    assert not (settings.home / "secret.key").exists()
    for name in ("backup", "restore"):
        assert f"Example: bodega {name} " in command(settings, name, "--help").stdout


@pytest.mark.slow
def test_a_running_shop_is_backed_up_and_its_copy_starts(
    deployment: Deployment, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    deployment.up()
    token = deployment.log_in()
    lamp = {"name": "Lamp", "sku": "L", "price": "1.00"}
    assert deployment.call("POST", "/api/v1/products", lamp, token)[0] == 201
    before = deployment.get("/api/v1/products")
    path = str(tmp_path / "shop.zip")
    done = deployment.command("backup", "--out", path, "--with-secret-key", "--json")
    assert done.returncode == 0, done.stderr
    refused = deployment.command("restore", path, "--replace", "--yes")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: the shop is running: ")
    lamp["sku"] = "later"
    assert deployment.call("POST", "/api/v1/products", lamp, token)[0] == 201
    deployment.stop()
    if "DATABASE_URL" not in deployment.environ:
        shutil.rmtree(tmp_path / "shop")
    done = deployment.command("restore", path, "--replace", "--yes")
    assert done.returncode == 0, done.stderr
    deployment.up()
    assert deployment.get("/api/v1/products") == before
    assert deployment.call("GET", "/api/v1/auth/me", token=token)[0] == 200
    assert deployment.log_in()


# Not what wait4() tells: that begins with the memory of the process that forks.
MEASURED = """
import sys
from pathlib import Path
from bodega.cli import main
main(sys.argv[1:])
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(peak.split()[1])
"""


def peak(settings: Settings, *arguments: str) -> int:
    """Run ``bodega …`` and return the most memory that it took, in MB."""
    done = command(settings, *arguments, run=("-c", MEASURED))
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) // 1024


@pytest.mark.slow
def test_a_table_of_200_000_rows_needs_no_more_memory_than_an_empty_one(
    shop: Shop, fresh: Fresh, tmp_path: Path
) -> None:
    small = peak(shop.settings, "backup", "--out", str(tmp_path / "small.zip"))
    insert = 'INSERT INTO bodega_event (id, "offset", name, version, key, data, occurred_at) '
    if is_postgres(shop.databases.shop):
        rows = (
            "SELECT n, n, 'big', 1, n::text, to_jsonb(repeat(md5(n::text), 20)), now() "
            "FROM generate_series(10, 200009) n"
        )
    else:
        rows = (
            "WITH RECURSIVE numbers (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers "
            "WHERE n < 200009) SELECT n, n, 'big', 1, n, '\"' || hex(randomblob(320)) || '\"', "
            "'2026-01-01T00:00:00.000000Z' FROM numbers"
        )
    shop.databases.shop.execute_sql(insert + rows)
    big = tmp_path / "big.zip"
    peaks = [
        small,
        peak(shop.settings, "backup", "--out", str(big)),
        peak(fresh(), "restore", str(big)),
    ]
    print("MB at most:", peaks)
    assert max(peaks) < small + 50
    with zipfile.ZipFile(big) as bundle:
        assert sum(item.file_size for item in bundle.infolist()) > 120_000_000
    assert _count(read_info(big), "bodega_event") > 200_000


@ONE_ENGINE
def test_the_copy_is_a_database_that_sqlite_finds_in_order(
    bundle: Path, fresh: Fresh, opened: Any
) -> None:
    other = fresh()
    restore_backup(opened(other), bundle)
    with closing(sqlite3.connect(other.home / "shop.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
