"""Archives: what an addon kept, in one file, from which it can be restored."""

import json
import os
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bodega.database.connection import is_postgres
from bodega.database.migrating import applied
from bodega.database.structure import rebuild_full_text
from bodega.errors import AddonError
from bodega.tablefiles import TableFile, dump_table, load_tables
from bodega_sdk.models import now

FORMAT = 1
_INDEX = "archive.json"


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that an addon keeps.

    Args:
        path: below the addon's folder of files, with ``/``.
    """

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive holds.

    Args:
        addon, version: whose it is.
        engine: ``sqlite`` or ``postgresql``; it can be restored on the same one.
        migrations: that had run when it was made.
        settings: the values that the operator had set; secrets stay encrypted.
        tables: one file each.
        media: files that the addon keeps outside the database. They stay where they are
            until a purge; the archive says which there were.
    """

    addon: str
    version: str
    engine: str
    created_at: str
    migrations: tuple[str, ...]
    settings: dict[str, Any]
    tables: tuple[TableFile, ...]
    media: tuple[MediaFile, ...] = ()

    def missing(self, folder: Path) -> list[str]:
        """Return the media that are not in a folder any more, or not whole."""
        there = {item.path: item for item in media_in(folder)}
        return [item.path for item in self.media if there.get(item.path) != item]


def media_in(folder: Path) -> tuple[MediaFile, ...]:
    """Return the files below a folder, in order."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        MediaFile(path.relative_to(folder).as_posix(), path.stat().st_size) for path in files
    )


def engine_of(database: Any) -> str:
    """Return the word for a database's engine."""
    return "postgresql" if is_postgres(database) else "sqlite"


def archive_path(folder: Path, addon: str, version: str, at: datetime) -> Path:
    """Return the name of a new archive."""
    return folder / f"{addon}-{version}-{at:%Y%m%dT%H%M%S%f}.zip"


def write_archive(
    database: Any,
    path: Path,
    addon: str,
    version: str,
    tables: Iterable[str],
    settings: dict[str, Any],
    files: Path,
) -> Archive:
    """Write an archive in the open transaction; it is on the disk when this returns.

    Args:
        files: the folder in which the addon keeps files.

    The tables are locked against writers until the transaction ends, so that what is
    archived is what is dropped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    tables = list(tables)
    if is_postgres(database):
        for table in tables:
            database.execute_sql(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')
    with part.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            entries = tuple(dump_table(database, table, bundle) for table in tables)
            archive = Archive(
                addon, version, engine_of(database), now().isoformat(),
                applied(database, addon), settings, entries, media_in(files),
            )  # fmt: skip
            bundle.writestr(_INDEX, json.dumps({"format": FORMAT} | asdict(archive), indent=2))
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    _sync_folder(path.parent)
    return archive


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_archive(path: Path) -> Archive:
    """Read what an archive holds.

    Raises:
        AddonError: it is no archive, or it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            told = json.loads(bundle.read(_INDEX))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise AddonError(f"{path} is no archive of an addon, or it is damaged: {error}") from None
    if told.pop("format") != FORMAT:
        raise AddonError(f"{path} was written by a newer Bodega; restore it with that one")
    tables = tuple(
        TableFile(**(entry | {"columns": tuple(entry["columns"])})) for entry in told.pop("tables")
    )
    media = tuple(MediaFile(**entry) for entry in told.pop("media", ()))
    migrations = tuple(told["migrations"])
    return Archive(**(told | {"tables": tables, "migrations": migrations, "media": media}))


def load_archive(database: Any, path: Path, archive: Archive) -> dict[str, int]:
    """Put the rows of an archive back into empty tables, in the open transaction.

    Returns:
        Table → rows.

    Raises:
        OperatorError: another engine, a damaged file, or tables that are not empty.
    """
    if archive.engine != engine_of(database):
        raise AddonError(
            f"{path} was made on {archive.engine}, this shop runs on {engine_of(database)}; "
            "restore it into a shop on the same engine"
        )
    with zipfile.ZipFile(path) as bundle:
        load_tables(database, archive.tables, bundle)
    # Triggers did not fire.
    rebuild_full_text(database, [entry.table for entry in archive.tables])
    return {entry.table: entry.rows for entry in archive.tables}
