"""Rehearsing migrations in a schema of their own, to know what they will execute.

On SQLite that is a database in memory; on PostgreSQL a schema that exists only inside
a transaction which is rolled back. The shop's own tables are neither locked nor seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodega.addons import foreign_keys
from bodega.addons.codes import expanding
from bodega.addons.loading import migrations_folder
from bodega.addons.steps import Refused
from bodega.database.connection import Postgres, Sqlite, is_postgres
from bodega.database.migrating import KERNEL_MIGRATIONS, migrate, pending
from bodega.database.structure import tables_of
from bodega.security.audit import unrecorded
from bodega_sdk.ids import uuid7
from bodega_sdk.manifest import Manifest

if TYPE_CHECKING:
    from bodega.shop import Shop


class _RollBack(Exception):
    """Ends the rehearsal's transaction."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What an addon's pending migrations execute.

    Args:
        expand: statements that may be executed while older code serves.
        contract: those that must wait for the new code, in their order.
    """

    expand: tuple[str, ...] = ()
    contract: tuple[str, ...] = ()


def rehearse(
    shop: "Shop", order: Sequence[str], manifests: Mapping[str, Manifest]
) -> dict[str, "Rehearsal"]:
    """Return the statements that bringing addons up to date will execute, by addon.

    Args:
        order: the installed addons and those to come, in dependency order.

    Raises:
        MigrationFailed: one cannot be executed.
        Refused: a foreign key would block another addon.
    """
    planned: dict[str, Rehearsal] = {}
    with unrecorded(), _scratch(shop.databases.shop) as scratch:
        migrate(scratch, "bodega", KERNEL_MIGRATIONS)
        owners = dict.fromkeys(tables_of(scratch), "bodega")
        for name in order:
            folder = migrations_folder(manifests[name]) if name in manifests else None
            if folder is not None:
                planned[name] = _rehearse_one(shop, scratch, name, folder)
                owners = dict.fromkeys(tables_of(scratch), name) | owners
        _refuse_blocking(scratch, owners, planned)
    return planned


def _rehearse_one(shop: "Shop", scratch: Any, name: str, folder: Path) -> "Rehearsal":
    waiting = pending(shop.databases.shop, name, folder)
    if waiting:
        _run_applied(scratch, name, folder, waiting[0])
    expand: list[str] = []
    contract: list[str] = []
    if early := expanding(waiting):
        migrate(scratch, name, folder, expand, target=early[-1])
    migrate(scratch, name, folder, contract)
    return Rehearsal(tuple(expand), tuple(contract)) if waiting else Rehearsal()


def _refuse_blocking(
    scratch: Any, owners: Mapping[str, str], planned: Mapping[str, "Rehearsal"]
) -> None:
    for fault in foreign_keys.blocking(scratch, owners):
        # What was installed before there was this rule is not the newcomer's fault.
        if planned.get(fault.addon, Rehearsal()) != Rehearsal():
            raise Refused(fault)


def _run_applied(scratch: Any, name: str, folder: Path, first: str) -> None:
    """Run the migrations that the shop has run already: those before the first that waits."""
    earlier = [item for item in pending(scratch, name, folder) if item < first]
    if earlier:
        migrate(scratch, name, folder, target=earlier[-1])


@contextmanager
def _scratch(live: Any) -> Iterator[Any]:
    if is_postgres(live):
        with _scratch_schema(live) as scratch:
            yield scratch
        return
    scratch = Sqlite(":memory:")
    with closing(scratch):
        yield scratch


@contextmanager
def _scratch_schema(live: Any) -> Iterator[Any]:
    scratch = Postgres(live.database, max_connections=1, field_types={"TIMESTAMPTZ": "TIMESTAMPTZ"})
    scratch.connect_params.update(live.connect_params)
    name = f"bodega_scratch_{uuid7().hex}"
    try:
        with suppress(_RollBack), scratch.atomic():
            scratch.execute_sql(f"CREATE SCHEMA {name}")
            scratch.execute_sql(f"SET LOCAL search_path TO {name}")
            yield scratch
            raise _RollBack
    finally:
        scratch.close_all()
