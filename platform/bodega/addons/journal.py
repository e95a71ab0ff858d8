"""The journal: what takes more than one transaction, so that a crash leaves nothing half done.

=========  ================================================================
step       what recovering does
=========  ================================================================
draining   takes it back: the addons are enabled again, archives are deleted
cleaning   finishes it: the tables are gone, now the files go
=========  ================================================================
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from bodega.addons import steps
from bodega.addons.discovery import discover
from bodega.database.migrating import schema_change
from bodega.database.tables import AddonRow, JournalRow
from bodega.errors import Busy

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)


def begin(verb: str, addon: str, enabled: Iterable[str]) -> UUID:
    """Write down that a transition begins, in its first transaction; return its id."""
    row = JournalRow.create(verb=verb, addon=addon, step="draining", enabled_before=list(enabled))
    found: UUID = row.id
    return found


def is_open(transition: UUID) -> bool:
    """Whether a transition was neither ended nor taken back, by us or by somebody else."""
    return bool(JournalRow.select().where(JournalRow.id == transition).exists())


def must_be_open(transition: UUID) -> None:
    """Refuse to go on with a transition that another operator has taken back.

    Raises:
        Busy: this one has lost its lock, another took it and did so.
    """
    if not is_open(transition):
        raise Busy(
            "this operator's lock was lost with its connection, and another operator took back "
            "what was begun; nothing was removed. Try again"
        )


def note_archives(paths: Iterable[Path]) -> None:
    """Write down which archives will be made, before the transaction that makes them."""
    JournalRow.update(archive="\n".join(map(str, paths))).execute()


def reach_cleaning(folders: Iterable[Path]) -> None:
    """Write down, in the transaction that removes the tables, which folders are to go too."""
    JournalRow.update(step="cleaning", archive="\n".join(map(str, folders))).execute()


def unfinished() -> bool:
    """Whether a transition was begun and not ended."""
    return bool(JournalRow.select().exists())


def recover(shop: "Shop") -> bool:
    """Finish or take back what was begun; call it holding the operator's lock."""
    row = JournalRow.select().first()
    if row is None:
        return False
    if row.step == "cleaning":
        _clean(shop, row)
    else:
        _take_back(shop, row)
    return True


def _clean(shop: "Shop", row: Any) -> None:
    for folder in filter(None, row.archive.splitlines()):
        shutil.rmtree(folder, ignore_errors=True)
    JournalRow.delete().where(JournalRow.id == row.id).execute()


def _take_back(shop: "Shop", row: Any) -> None:
    log.warning("taking back what was not finished", verb=row.verb, addon=row.addon)
    for name in filter(None, row.archive.splitlines()):
        for path in (Path(name), Path(name).with_suffix(".part")):
            path.unlink(missing_ok=True)
    shop.catalogue = discover()
    with schema_change(shop.databases.shop):
        AddonRow.update(enabled=True).where(AddonRow.name.in_(row.enabled_before)).execute()
        JournalRow.delete().where(JournalRow.id == row.id).execute()
        enabled = list(row.enabled_before)
        shop.audit("addon.removal_undone", f"addon:{row.addon}", verb=row.verb, enabled=enabled)
        steps.settle(shop, shop.catalogue.manifests.keys() | set(row.enabled_before))
