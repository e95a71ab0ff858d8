"""The steps that plans are made of; each runs in the transaction of its plan."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bodega import capabilities, state
from bodega.addons import codes, ledger
from bodega.addons.faults import Fault
from bodega.addons.loading import load, migrations_folder
from bodega.addons.plans import Step, of_definition
from bodega.assembly import Assembly
from bodega.database import outbox
from bodega.database.migrating import MigrationFailed, migrate, pending
from bodega.database.tables import AddonRow
from bodega.errors import PlanDrift
from bodega.jobs import leases

if TYPE_CHECKING:
    from bodega.shop import Shop


class Refused(Exception):
    """Carries a fault out of a transaction that must not be committed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def install(shop: "Shop", step: Step) -> None:
    """Run an addon's migrations and write it down as installed."""
    manifest = shop.catalogue.manifests[step.addon]
    _migrate_as_planned(shop, step)
    row = {"version": manifest.version, "installed": True, "enabled": False, "fault": None,
           "code": codes.current(manifest).fingerprint,
           "approved": capabilities.to_store(manifest)}  # fmt: skip
    AddonRow.insert(name=manifest.name, **row).on_conflict(
        conflict_target=[AddonRow.name], update=row
    ).execute()
    ledger.write([load(manifest)])  # The planner has loaded it before.


def _migrate_as_planned(shop: "Shop", step: Step, target: str | None = None) -> None:
    """Run an addon's migrations, up to a target, and hold what they execute against the plan."""
    folder = migrations_folder(shop.catalogue.manifests[step.addon])
    if folder is None:
        return
    executed: list[str] = []
    try:
        migrate(shop.databases.shop, step.addon, folder, executed, target)
    except MigrationFailed as error:
        raise Refused(migration_fault(error)) from error
    if of_definition(executed) != of_definition(step.statements):
        raise PlanDrift(
            f"the migrations of {step.addon} executed other statements than were planned; "
            "nothing was changed. A migration must not depend on the rows there are to decide "
            "which tables it defines"
        )


def migration_fault(error: MigrationFailed) -> Fault:
    """Return the fault of an addon whose migration failed."""
    name = error.owner
    return Fault(
        name, name, str(error), f"Mend the migration, then run 'bodega addons enable {name}'"
    )


def enable(shop: "Shop", step: Step) -> None:
    """Write an addon down as enabled, with the code that this process would run."""
    manifest = shop.catalogue.manifests[step.addon]
    code, approved = codes.current(manifest).fingerprint, capabilities.to_store(manifest)
    row = AddonRow.update(enabled=True, fault=None, code=code, approved=approved)
    row.where(AddonRow.name == step.addon).execute()


def disable(shop: "Shop", step: Step) -> None:
    """Write an addon down as disabled."""
    AddonRow.update(enabled=False, fault=None).where(AddonRow.name == step.addon).execute()


def upgrade(shop: "Shop", step: Step) -> None:
    """Run what older code can live with of an addon's migrations; write its new code down."""
    manifest = shop.catalogue.manifests[step.addon]
    folder = migrations_folder(manifest)
    early = codes.expanding(pending(shop.databases.shop, step.addon, folder)) if folder else ()
    if early:
        _migrate_as_planned(shop, step, early[-1])
    code = codes.current(manifest).fingerprint
    # What older code uses stays approved: processes that reload still run it.
    before = capabilities.read(AddonRow.get_by_id(step.addon).approved)
    approved = capabilities.to_store(manifest, before)
    row = AddonRow.update(version=manifest.version, code=code, fault=None, approved=approved)
    row.where(AddonRow.name == step.addon).execute()
    ledger.write([load(manifest)])


def contract(shop: "Shop", step: Step) -> None:
    """Run the rest of an addon's migrations; no process runs older code any more."""
    _migrate_as_planned(shop, step)


_STEPS: dict[str, Callable[["Shop", Step], None]] = {
    "install": install,
    "enable": enable,
    "disable": disable,
    "upgrade": upgrade,
    "contract": contract,
}


def take(shop: "Shop", steps: Iterable[Step]) -> None:
    """Do steps in their order; those that remove tables are not among them."""
    for step in steps:
        _STEPS[step.verb](shop, step)


def settle(shop: "Shop", quarantined_before: Iterable[str] = ()) -> Assembly:
    """Raise the generation, check the Assembly it makes, write the ledger, park or resume jobs.

    Args:
        quarantined_before: addons that may stay quarantined.

    Raises:
        Refused: another one would be quarantined.
    """
    state.raise_generation()
    assembly = state.assemble(shop.databases.shop, shop.catalogue, state.read_state())
    for name in sorted(assembly.faults.keys() - set(quarantined_before)):
        raise Refused(assembly.faults[name])
    ledger.write(addon for addon in assembly.addons if addon.name not in assembly.behind)
    leases.park_and_resume(list(assembly.jobs), sparing=assembly.behind)
    # Not when a worker first looks: what happens from the commit on is told to who is enabled.
    outbox.begin_reading(shop.databases.shop, [item.name for item in assembly.subscriptions])
    return assembly


def remember(shop: "Shop", fault: Fault) -> None:
    """Write down why an addon was refused, for ``addons list``."""
    manifest = shop.catalogue.manifests.get(fault.addon)
    told = {"culprit": fault.culprit, "reason": fault.reason, "remedy": fault.remedy}
    version = manifest.version if manifest else "?"
    AddonRow.insert(
        name=fault.addon, version=version, installed=False, enabled=False, fault=told
    ).on_conflict(conflict_target=[AddonRow.name], update={"fault": told}).execute()
