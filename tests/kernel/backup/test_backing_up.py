"""A backup is of one moment, keeps nobody waiting, and replaces no file by chance."""

import os
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.backup.contents import row_count
from tests.kernel.backup.marks import ONE_ENGINE, Fresh

from bodega.addons import lifecycle
from bodega.backup import read_info, restore_backup, write_backup
from bodega.errors import OperatorError
from bodega.shop import Shop


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
    counts = [row_count(info, "products_product") for info in infos]
    assert sorted(set(counts)) == counts, "each backup has more than the one before"
    for number, count in enumerate(counts):
        other = opened(fresh(f"other-{number}"))
        restore_backup(other, tmp_path / f"{number}.zip")
        found = other.databases.shop.execute_sql(
            "SELECT (SELECT count(*) FROM products_product), "
            "(SELECT count(*) FROM bodega_event WHERE name = 'product.created')"
        ).fetchone()
        assert tuple(found) == (count, count)


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


@pytest.mark.from_nothing
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
