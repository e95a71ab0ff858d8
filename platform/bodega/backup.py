"""Backing up a whole shop into one file, also while it runs, and restoring it.

The tables come from one snapshot. The files are read behind it: a file is there before
the row that tells of it, so that no row of the snapshot misses a file but one that was
deleted meanwhile.
"""

import fcntl
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bodega import __version__, rebuilding
from bodega.addons.archive import engine_of
from bodega.bundles import (
    PIECE,
    SECRET_KEY,
    BackupInfo,
    Progress,
    StoredAddon,
    StoredFile,
    check_outside,
    read_info,
    seal,
    silent,
    told,
    write_index,
)
from bodega.database.connection import is_postgres
from bodega.database.structure import load_order, quoted
from bodega.errors import OperatorError
from bodega.restoring import restore_backup
from bodega.tablefiles import dump_table
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Shop

__all__ = ["BackupInfo", "read_info", "restore_backup", "write_backup"]
# Level 6 takes three times as long for files that are a twentieth smaller.
_LEVEL = 3


def write_backup(
    shop: "Shop",
    path: Path,
    *,
    with_secret_key: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> BackupInfo:
    """Write a backup of a shop, which may be running; it is on the disk when this returns.

    Args:
        path: of the file; ``path.part`` is written first.
        with_secret_key: put the secret key inside, so that whoever has the file has all.
        overwrite: replace a file that is there.

    Raises:
        OperatorError: there is no shop, or the file cannot be written; there is none then.
    """
    path = path.absolute()
    check_outside(shop.settings.home, path)
    _check_free(path, overwrite=overwrite)
    with told("write the backup"), _part_of(path) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as bundle:
            if with_secret_key:
                bundle.writestr(SECRET_KEY, shop.settings.key())
            info = _pack(shop, bundle, with_secret_key, progress)
            write_index(bundle, info)
        seal(file)
    # A backup does not migrate the shop: its tables may be older than the log.
    if shop.databases.shop.table_exists("bodega_audit"):
        shop.audit("shop.backed_up", file=path.name, with_secret_key=with_secret_key)
    return info


def _check_free(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not path.is_file():
        # A rename would take the place of a device, too.
        raise OperatorError(f"{path} is not a regular file; name another one with --out")
    if path.exists() and not overwrite:
        raise OperatorError(f"{path} exists; name another file with --out or add --force")


@contextmanager
def _part_of(path: Path) -> Iterator[IO[bytes]]:
    """Yield ``path.part``, which takes the place of ``path`` when the block succeeds."""
    part = path.with_name(f"{path.name}.part")
    # Whoever has the file has the shop: nobody else on this machine may read it.
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        _take(file, part)
        file.truncate()
        try:
            yield file
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def _take(file: IO[bytes], part: Path) -> None:
    """Lock the part; one that nobody holds was left behind by a process that was killed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(file.fileno()), part.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise OperatorError(f"{part} is being written by another 'bodega backup'; wait for it")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pack(
    shop: "Shop", bundle: zipfile.ZipFile, with_secret_key: bool, progress: Progress
) -> BackupInfo:
    database = shop.databases.shop
    with _snapshot(database):
        tables = _tables(database)
        addons = _addons(database)
        paths = _paths(shop.settings.home / "files")
        of = len(tables) + len(paths)
        entries = []
        for done, table in enumerate(tables):
            progress(table, done, of)
            entries.append(dump_table(database, table, bundle, partial(_rows, progress, done, of)))
        migrations, generation = _migrations(database, tables, addons), _generation(database)
        schema = _schema(database)
    files = [
        stored
        for done, item in enumerate(paths, len(tables))
        if (stored := _pack_file(bundle, *item, partial(progress, item[1], done, of)))
    ]
    progress("done", of, of)
    return BackupInfo(
        __version__, engine_of(database), now().isoformat(timespec="seconds"), generation,
        with_secret_key, addons, migrations, tuple(entries), tuple(files), schema,
    )  # fmt: skip


def _rows(progress: Progress, done: int, of: int, table: str, rows: int) -> None:
    progress(f"{table}, {rows:,} rows", done, of)


@contextmanager
def _snapshot(database: Any) -> Iterator[None]:
    """See one state of the shop in the block; nobody waits for it."""
    if not is_postgres(database):
        # SQLite's transactions are writers here unless told otherwise.
        with database.atomic("DEFERRED"):
            yield
        return
    with database.atomic():
        database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rebuilding.take_time(database)
        yield


def _tables(database: Any) -> list[str]:
    tables = rebuilding.shop_tables(database)
    if "bodega_addon" not in tables:
        raise OperatorError("there is no shop here; name its home with --home, or its DATABASE_URL")
    if is_postgres(database):
        database.execute_sql(f"LOCK TABLE {', '.join(map(quoted, tables))} IN ACCESS SHARE MODE")
    # What could not be restored is told now.
    return load_order(database, tables)


# Plain SQL: the tables may be older than this Bodega, which is when backups are made.
def _addons(database: Any) -> tuple[StoredAddon, ...]:
    rows = database.execute_sql("SELECT name, version, enabled FROM bodega_addon ORDER BY name")
    return tuple(StoredAddon(name, version, bool(on)) for name, version, on in rows.fetchall())


def _migrations(
    database: Any, tables: list[str], addons: tuple[StoredAddon, ...]
) -> dict[str, tuple[str, ...]]:
    owners = [rebuilding.KERNEL, *(addon.name for addon in addons)]
    return {
        owner: _ran(database, f"{owner}_migration")
        for owner in owners
        if f"{owner}_migration" in tables
    }


def _ran(database: Any, table: str) -> tuple[str, ...]:
    rows = database.execute_sql(f"SELECT name FROM {quoted(table)} ORDER BY id").fetchall()
    return tuple(name for (name,) in rows)


def _generation(database: Any) -> int:
    row = database.execute_sql("SELECT value FROM bodega_counter WHERE name = 'generation'")
    return int((row.fetchone() or (0,))[0])


def _schema(database: Any) -> tuple[tuple[str, str, str], ...]:
    if is_postgres(database):
        return ()
    rows = database.execute_sql(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    return tuple(rows.fetchall())


def _paths(folder: Path) -> list[tuple[Path, str]]:
    # Not rglob, which fails when a folder is removed under it.
    found = [Path(root, name) for root, _, names in os.walk(folder) for name in names]
    return sorted((path, path.relative_to(folder).as_posix()) for path in found if path.is_file())


def _pack_file(
    bundle: zipfile.ZipFile, path: Path, name: str, progress: Callable[[], None]
) -> StoredFile | None:
    """Store a file; None when it was deleted meanwhile."""
    progress()
    digest, size = hashlib.sha256(), 0
    with suppress(FileNotFoundError), path.open("rb") as file:
        with bundle.open(f"files/{name}", "w", force_zip64=True) as member:
            while piece := file.read(PIECE):
                digest.update(piece)
                size += len(piece)
                member.write(piece)
        return StoredFile(name, size, digest.hexdigest())
    return None
