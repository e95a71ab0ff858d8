"""Removing an addon: archiving what it kept, dropping its tables, forgetting its rows."""

import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peewee

from bodega.addons import archive, ledger
from bodega.addons.plans import Extent, Step
from bodega.database.connection import is_postgres
from bodega.database.structure import full_text_over
from bodega.database.tables import (
    AddonRow,
    JobRow,
    ScheduleRow,
    SettingRow,
    SubscriptionRow,
)
from bodega.errors import AddonError
from bodega.processes import Process
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Shop

#: Seconds that processes get to let go of an addon.
DRAIN = 60.0


def tables(database: Any, addon: str) -> list[str]:
    """Return the tables that an addon owns and that are there.

    Their order does not matter: PostgreSQL drops them in one statement, SQLite with
    foreign keys off, and an archive is loaded in an order of its own.
    """
    there = set(database.get_tables())
    return [table for table in ledger.tables_of(addon) if table in there]


def drop_statements(database: Any, addon: str) -> tuple[str, ...]:
    """Return the statements that drop an addon's tables and its history of migrations."""
    own = tables(database, addon)
    names = [*full_text_over(database, own), *own, *_history(database, addon)]
    quoted = [f'"{name}"' for name in names]
    if is_postgres(database) and quoted:
        return (f"DROP TABLE {', '.join(quoted)}",)
    return tuple(f"DROP TABLE {name}" for name in quoted)


def _history(database: Any, addon: str) -> list[str]:
    name = f"{addon}_migration"
    return [name] if database.table_exists(name) else []


def extents(shop: "Shop", steps: Iterable[Step]) -> dict[str, Extent]:
    """Return how much is in the tables that steps would drop."""
    database = shop.databases.shop
    return {
        table: _extent(database, table)
        for step in steps
        if step.verb in ("uninstall", "purge")
        for table in tables(database, step.addon)
    }


def _extent(database: Any, table: str) -> Extent:
    rows = database.execute_sql(f'SELECT count(*) FROM "{table}"').fetchone()[0]
    if not is_postgres(database):
        return Extent(int(rows), None)
    # A table in partitions has no bytes itself.
    query = (
        "SELECT sum(pg_total_relation_size(oid)) FROM (SELECT %s::regclass AS oid UNION "
        "SELECT relid FROM pg_partition_tree(%s::regclass)) AS parts"
    )
    size = database.execute_sql(query, (f'"{table}"',) * 2)
    return Extent(int(rows), int(size.fetchone()[0]))


def files_of(shop: "Shop", addon: str) -> Path:
    """Return the folder in which an addon keeps files; see :func:`bodega_sdk.folder`."""
    return shop.settings.home / "files" / addon


def archive_for(shop: "Shop", step: Step) -> Path | None:
    """Return where an addon's archive will be; None for a purge, which makes none."""
    if step.verb == "purge":
        return None
    version = AddonRow.get_by_id(step.addon).version
    return archive.archive_path(shop.settings.home / "archives", step.addon, version, now())


def remove(shop: "Shop", step: Step, path: Path | None) -> None:
    """Remove an addon in the open transaction, with an archive if there is a path for it."""
    database, name = shop.databases.shop, step.addon
    if path is not None:
        version, owned = AddonRow.get_by_id(name).version, tables(database, name)
        files = files_of(shop, name)
        archive.write_archive(database, path, name, version, owned, _settings(name), files)
    for statement in step.statements:
        _drop(database, name, statement)
    manifest = shop.catalogue.manifests.get(name)
    _forget(name, manifest.package if manifest else f"bodega_{name}")


def _drop(database: Any, addon: str, statement: str) -> None:
    try:
        database.execute_sql(statement)
    except peewee.InternalError as error:
        said = " ".join(str(error).split())
        raise AddonError(
            f"the tables of {addon} cannot be dropped: {said}. Something that is not the "
            "addon's own, e.g. a view, depends on them: drop that, and try again"
        ) from error


def _settings(addon: str) -> dict[str, Any]:
    rows = SettingRow.select().where(SettingRow.name.startswith(f"{addon}."))
    return {row.name: row.value for row in rows}


def _forget(addon: str, package: str) -> None:
    """Delete the kernel's rows about an addon."""
    for model in (SettingRow, JobRow, ScheduleRow):
        model.delete().where(model.name.startswith(f"{addon}.")).execute()
    SubscriptionRow.delete().where(SubscriptionRow.name.contains(f">{package}.")).execute()
    AddonRow.delete().where(AddonRow.name == addon).execute()
    ledger.erase(addon)


def _own(process: Process) -> int:
    """Return what of this process does not count: the request that asks, if one does."""
    return 1 if process.pid == os.getpid() and process.host == socket.gethostname() else 0


def wait_until_drained(shop: "Shop", generation: int, timeout: float = DRAIN) -> None:
    """Wait until no living process serves or still runs anything of an older generation.

    Raises:
        AddonError: naming those that did not let go in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        holding = [
            process
            for process in shop.register.living()
            if process.generation < generation or process.draining > _own(process)
        ]
        if not holding:
            return
        if time.monotonic() > deadline:
            raise AddonError(
                f"these processes still hold on to it: {', '.join(map(str, holding))}; wait for "
                "their jobs or cancel them, or restart the processes, and try again"
            )
        time.sleep(0.05)
