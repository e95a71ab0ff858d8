"""The shop's state in the database: what is enabled, the settings, the generation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bodega.addons.discovery import Catalogue
from bodega.addons.faults import Fault
from bodega.addons.loading import migrations_folder
from bodega.assembly import Assembly, build
from bodega.database.migrating import pending
from bodega.database.tables import AddonRow, Counter, SettingRow
from bodega_sdk.ids import uuid7

_GENERATION = "generation"
_SHOP_ID = "bodega.shop_id"


@dataclass(frozen=True, slots=True)
class State:
    """What the Assembly is computed from, besides the addons' code."""

    generation: int
    enabled: tuple[str, ...]
    settings: Mapping[str, Any]


def read_state() -> State:
    """Read the state; the generation first, so that it is never newer than the rest."""
    generation = read_generation()
    rows = AddonRow.select(AddonRow.name).where(AddonRow.enabled).tuples()
    settings = {row.name: row.value for row in SettingRow.select()}
    return State(generation, tuple(sorted(name for (name,) in rows)), settings)


def read_generation() -> int:
    """Return the generation, 0 for a shop that was never started."""
    row = Counter.select(Counter.value).where(Counter.name == _GENERATION).tuples().first()
    return int(row[0]) if row else 0


def raise_generation() -> int:
    """Raise the generation in the open transaction; every process will follow."""
    Counter.insert(name=_GENERATION, value=1).on_conflict(
        conflict_target=[Counter.name], update={Counter.value: Counter.value + 1}
    ).execute()
    return read_generation()


def shop_id() -> str:
    """Return the shop's own id, made in the open transaction when it has none."""
    SettingRow.insert(name=_SHOP_ID, value=uuid7().hex).on_conflict_ignore().execute()
    found: str = SettingRow.get_by_id(_SHOP_ID).value
    return found


def assemble(database: Any, catalogue: Catalogue, state: State) -> Assembly:
    """Compute the Assembly of a state; addons with pending migrations are quarantined."""
    faults = {
        name: fault
        for name in state.enabled
        if (fault := _migration_fault(database, catalogue, name))
    }
    return build(catalogue, state.enabled, state.generation, state.settings, faults)


def _migration_fault(database: Any, catalogue: Catalogue, name: str) -> Fault | None:
    manifest = catalogue.manifests.get(name)
    folder = migrations_folder(manifest) if manifest else None
    waiting = pending(database, name, folder) if folder else []
    if not waiting:
        return None
    return Fault(name, name, f"migration {waiting[0]} is pending", "Run 'bodega migrate'")
