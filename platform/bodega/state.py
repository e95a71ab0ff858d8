"""The shop's state in the database: what is enabled, the settings, the generation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bodega import capabilities
from bodega.addons import codes, ledger
from bodega.addons.codes import Code
from bodega.addons.discovery import Catalogue
from bodega.addons.faults import PENDING, Fault
from bodega.assembly import Assembly, build
from bodega.database.migrating import applied
from bodega.database.tables import AddonRow, Counter, LedgerRow, SettingRow
from bodega.mail.jobs import KERNEL_JOBS
from bodega_sdk.capabilities import Uses
from bodega_sdk.ids import uuid7
from bodega_sdk.manifest import Manifest

_GENERATION = "generation"
_SHOP_ID = "bodega.shop_id"
#: Addons with their manifests, their code, and the migrations that have run.
_Looked = dict[str, tuple[Manifest, Code, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class State:
    """What the Assembly is computed from, besides the addons' code.

    Args:
        codes: fingerprint of the code that an enabled addon was last upgraded to.
        approved: capabilities that an operator approved, by addon.
    """

    generation: int
    enabled: tuple[str, ...]
    settings: Mapping[str, Any]
    codes: Mapping[str, str] = field(default_factory=dict)
    approved: Mapping[str, Uses] = field(default_factory=dict)


def read_state() -> State:
    """Read the state; the generation first, so that it is never newer than the rest."""
    generation = read_generation()
    query = AddonRow.select(AddonRow.name, AddonRow.code, AddonRow.approved)
    rows = list(query.where(AddonRow.enabled).tuples())
    codes_of = {name: code for name, code, _ in rows}
    settings = {row.name: row.value for row in SettingRow.select()}
    approved = capabilities.read_all((name, stored) for name, _, stored in rows)
    return State(generation, tuple(sorted(codes_of)), settings, codes_of, approved)


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
    # Looked for first: who only reads must not wait for whoever writes.
    if SettingRow.get_or_none(SettingRow.name == _SHOP_ID) is None:
        SettingRow.insert(name=_SHOP_ID, value=uuid7().hex).on_conflict_ignore().execute()
    found: str = SettingRow.get_by_id(_SHOP_ID).value
    return found


def assemble(database: Any, catalogue: Catalogue, state: State) -> Assembly:
    """Compute the Assembly of a state.

    Addons whose code does not fit the migrations that have run are quarantined.
    """
    looked = _looked_at(database, catalogue, state.enabled)
    faults = _faults(looked)
    waiting: dict[str, tuple[str, ...]] = {}
    behind: dict[str, str] = {}
    for name, (_, code, done) in looked.items():
        ahead = _missing(code, done)
        if not ahead and state.codes.get(name) not in (None, "", code.fingerprint):
            behind[name] = state.codes[name]
        late = tuple(item for item in code.migrations if item not in done)
        if late and name not in faults:
            waiting[name] = late
    owned = ledger.everything()
    assembly = build(
        catalogue, state.enabled, state.generation, state.settings, faults, owned=owned,
        approved=state.approved,
    )  # fmt: skip
    closed, jobs = _closed(assembly, catalogue), {**assembly.jobs, **KERNEL_JOBS}
    return replace(assembly, jobs=jobs, waiting=waiting, behind=behind, closed=closed)


def pending_faults(database: Any, catalogue: Catalogue, names: Iterable[str]) -> dict[str, Fault]:
    """Return the faults of addons whose code does not fit the migrations that have run."""
    return _faults(_looked_at(database, catalogue, names))


def _looked_at(database: Any, catalogue: Catalogue, names: Iterable[str]) -> _Looked:
    """Return the manifests of addons, their code, and what has run of their migrations."""
    known = {name: catalogue.manifests[name] for name in names if name in catalogue.manifests}
    return {
        name: (manifest, codes.current(manifest), applied(database, name))
        for name, manifest in known.items()
    }


def _faults(looked: _Looked) -> dict[str, Fault]:
    found = {name: _migration_fault(*seen) for name, seen in looked.items()}
    return {name: fault for name, fault in found.items() if fault is not None}


def _migration_fault(manifest: Manifest, code: Code, done: tuple[str, ...]) -> Fault | None:
    """Return what keeps code from serving: see docs/decisions/0010."""
    name = manifest.name
    missing = _missing(code, done)
    if missing:
        remedy = f"Run 'bodega addons upgrade {name}', or 'bodega migrate'"
        return Fault(name, name, f"migration {missing[0]} is pending", remedy, PENDING)
    gone = [item for item in done if item not in code.migrations and codes.contracts(item)]
    if gone:
        reason = f"migration {gone[0]} of a newer version took away what {manifest.version} needs"
        remedy = f"Install the newer version of {name} here, and restart this process"
        return Fault(name, name, reason, remedy, PENDING)
    return None


def _missing(code: Code, done: tuple[str, ...]) -> list[str]:
    """Return the migrations that code needs and that have not run: it is ahead of the shop."""
    return [item for item in code.migrations if item not in done and not codes.contracts(item)]


def _closed(assembly: Assembly, catalogue: Catalogue) -> dict[str, Fault]:
    """Return the addresses of quarantined addons: the ledger's, else all below their roots."""
    if not assembly.faults:
        return {}
    rows = LedgerRow.select(LedgerRow.name, LedgerRow.addon).where(
        LedgerRow.kind == "route", LedgerRow.addon.in_(list(assembly.faults))
    )
    known = [(name.partition(" ")[2], addon) for name, addon in rows.tuples()]
    for name in assembly.faults.keys() - {addon for _, addon in known}:
        manifest = catalogue.manifests.get(name)
        known += [(f"/{root}*", name) for root in manifest.route_roots] if manifest else []
    return {address: assembly.faults[addon] for address, addon in known}
