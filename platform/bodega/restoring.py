"""Restoring a shop from a backup: everything is checked first, then all is written or nothing.

The tables are written in one transaction. The files are unpacked beside those that are
there and take their place as its last act; should the commit fail, they go back.
"""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bodega import rebuilding, state
from bodega.addons.discovery import discover
from bodega.addons.operator_lock import operator_lock
from bodega.bundles import (
    PIECE,
    SECRET_KEY,
    BackupInfo,
    Progress,
    StoredFile,
    check_outside,
    check_seal,
    read_info,
    silent,
    told,
)
from bodega.database.migrating import schema_change
from bodega.errors import OperatorError
from bodega.jobs.stream import EventStream
from bodega.presence import PresenceTable
from bodega.security import audit_check
from bodega.tablefiles import load_tables
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Shop


def restore_backup(
    shop: "Shop", path: Path, *, replace: bool = False, progress: Progress = silent
) -> BackupInfo:
    """Restore a backup into an empty database and home; all of it, or nothing.

    What this shop object has read before is of the shop that was; make a new one.

    Args:
        replace: drop what there is first, in the same transaction.

    Raises:
        OperatorError: the backup is damaged, it cannot be rebuilt here, or something is in
            the way; nothing has changed.
    """
    path, home = path.absolute(), shop.settings.home
    check_outside(home, path)
    with told("restore the backup"), operator_lock(shop, "restore"):
        rebuilding.check_target(shop, replace=replace)
        progress("checking the file", 0, 1)
        check_seal(path)
        info, shop.catalogue = read_info(path), discover()
        rebuilding.check_possible(shop.databases.shop, shop.catalogue, info)
        with zipfile.ZipFile(path) as bundle, _staging(home) as staged:
            _unpack(shop, bundle, info, staged, progress)
            rebuilding.sort_on_disk(shop.databases.shop)
            with _exchange(home, staged) as put_in_place, schema_change(shop.databases.shop):
                rebuilding.check_target(shop, replace=replace)
                _write_tables(shop, bundle, info, progress, replace=replace)
                put_in_place()
                _record(shop, path, info)
    # A connection remembers what virtual tables held when it made them.
    shop.databases.close()
    return info


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """Yield an empty folder in the home; it is gone afterwards."""
    staged = home / "restoring"
    shutil.rmtree(staged, ignore_errors=True)  # Of a restore that was killed.
    staged.mkdir(mode=0o700, parents=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _unpack(
    shop: "Shop", bundle: zipfile.ZipFile, info: BackupInfo, staged: Path, progress: Progress
) -> None:
    """Unpack the files, and the secret key unless the environment gives one."""
    of = len(info.tables) + len(info.files)
    (staged / "files").mkdir()
    for done, stored in enumerate(info.files):
        progress(stored.path, done, of)
        _unpack_file(bundle, stored, staged / "files")
    if info.secret_key and not shop.settings.secret_key:
        key = staged / SECRET_KEY
        key.touch(mode=0o600)
        key.write_bytes(bundle.read(SECRET_KEY))
    os.sync()


def _unpack_file(bundle: zipfile.ZipFile, stored: StoredFile, folder: Path) -> None:
    inside = PurePosixPath(stored.path)
    if inside.is_absolute() or ".." in inside.parts:
        raise OperatorError(f"the backup has a file {stored.path!r} outside its folder; not safe")
    target, digest = folder / inside, hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with bundle.open(f"files/{stored.path}") as member, target.open("wb") as file:
        while piece := member.read(PIECE):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != stored.sha256:
        raise OperatorError(f"the backup's file {stored.path} is damaged; take another copy of it")


@contextmanager
def _exchange(home: Path, staged: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that moves what is staged into the home; undone if the block fails."""
    aside = home / f"replaced-{now():%Y%m%dT%H%M%S}"
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        source.rename(target)
        moved.append((source, target))

    def put_in_place() -> None:
        for new in sorted(staged.iterdir()):
            if (home / new.name).exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                move(home / new.name, aside / new.name)
            move(new, home / new.name)

    try:
        yield put_in_place
    except BaseException:
        for source, target in reversed(moved):
            target.rename(source)
        raise
    else:
        shutil.rmtree(aside / "files", ignore_errors=True)
    finally:
        # A secret key that was there stays aside: older backups may need it.
        with suppress(OSError):
            aside.rmdir()


def _write_tables(
    shop: "Shop", bundle: zipfile.ZipFile, info: BackupInfo, progress: Progress, *, replace: bool
) -> None:
    database, of = shop.databases.shop, len(info.files) + len(info.tables)
    rebuilding.take_time(database)
    if replace:
        rebuilding.drop_everything(database)
    rebuilding.make_tables(database, shop.catalogue, info)
    begun: list[str] = []

    def tell(table: str, rows: int) -> None:
        progress(f"{table}, {rows:,} rows", len(info.files) + len(begun), of)
        begun.append(table)

    load_tables(database, info.tables, bundle, tell)
    rebuilding.finish_tables(database, info)
    shop.register.create()
    PresenceTable(shop.databases.runtime).create()
    _forget_stream(shop)
    progress("done", of, of)


def _record(shop: "Shop", path: Path, info: BackupInfo) -> None:
    """Have the restored audit log go on from where it was; the file of its head follows it."""
    log = shop.audit_log
    log.begin_anew()
    # Of a backup that is older than the log, the next start makes the tables.
    there = shop.databases.shop.table_exists("bodega_audit")
    # Without the key of the shop that was, an entry would break the chain.
    keyed = shop.settings.secret_key or (shop.settings.home / SECRET_KEY).exists()
    if there and keyed and audit_check.is_ours(log):
        before = log.file.text()
        shop.audit("shop.restored", file=path.name, made_at=info.created_at, head_before=before)


def _forget_stream(shop: "Shop") -> None:
    """Drop the Redis Stream of this shop: its offsets may be ahead of the restored log."""
    stream = EventStream.of(shop.settings, state.shop_id())
    if stream is not None:
        with Redis.from_url(
            shop.settings.redis_url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.delete(stream.key)
