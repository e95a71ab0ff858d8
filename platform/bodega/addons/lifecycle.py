"""The lifecycle of addons on a running shop: install, enable, disable, upgrade, uninstall, purge.

Every verb computes a plan, and applying it computes the plan again, under the lock of
operators and that of schema changes, in one transaction with what it does. A shop is
wholly before or wholly after. Uninstalling needs two transactions, because every
process must have let go of the addon before its tables go; between them the journal
knows what to take back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodega import capabilities, state
from bodega.addons import archive, codes, journal, orphans, recording, removal, steps
from bodega.addons.discovery import discover
from bodega.addons.following import ready, wait_for
from bodega.addons.operator_lock import operator_lock
from bodega.addons.planning import Planner
from bodega.addons.plans import Plan, Step, read_id
from bodega.addons.preparation import Preparation, is_prepared, prepare
from bodega.addons.steps import Refused
from bodega.database.migrating import applied, schema_change
from bodega.database.tables import AddonRow, SettingRow
from bodega.errors import AddonError, PlanDrift
from bodega.hooks import quarantine

if TYPE_CHECKING:
    from bodega.shop import Shop

__all__ = [
    "Change",
    "Preparation",
    "apply",
    "apply_plan",
    "disable",
    "enable",
    "is_prepared",
    "plan",
    "prepare",
    "recover",
    "restore",
    "retry",
    "wait_for",
]


@dataclass(frozen=True, slots=True)
class Change:
    """What a verb did.

    Args:
        addons: those it was done to, in order.
        generation: of the Assembly that shows it.
        archives: files that hold what uninstalled addons kept.
        codes: fingerprint of the code that the processes should run of those, by addon.
        waiting: those whose last migrations wait until every process does.
    """

    addons: tuple[str, ...]
    generation: int
    archives: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()


def plan(shop: "Shop", verb: str, name: str, *, cascade: bool = False) -> Plan:
    """Return what a verb would do; nothing is done.

    Raises:
        AddonError: it would be refused.
    """
    shop.catalogue = discover()
    try:
        return Planner(shop, cascade=cascade).plan(verb, name)
    except Refused as refused:
        raise AddonError(str(refused.fault)) from refused.__cause__


def apply(
    shop: "Shop",
    verb: str,
    name: str,
    *,
    cascade: bool = False,
    expected: str | None = None,
    approve: bool = False,
) -> Change:
    """Do what the plan of a verb says.

    Args:
        expected: id of a plan that was made before; refused when it would differ now.
        approve: whether an addon may get more capabilities than were approved before.

    Raises:
        Busy: another operator is at work.
        PlanDrift: the plan would differ; nothing has changed.
        AddonError: it is refused; nothing has changed, and ``addons list`` tells why.
    """
    with operator_lock(shop, f"{verb} {name}"):
        journal.recover(shop)
        shop.catalogue = discover()
        try:
            if verb in ("uninstall", "purge"):
                return _remove(shop, verb, name, cascade, expected)
            with schema_change(shop.databases.shop):
                planner = Planner(shop, cascade=cascade)
                made = _as_expected(planner.plan(verb, name), expected)
                if not approve:
                    capabilities.must_be_approved(made)
                return _take(shop, made, planner.before.faults)
        except Refused as refused:
            steps.remember(shop, refused.fault)
            raise AddonError(str(refused.fault)) from refused.__cause__


def _take(shop: "Shop", made: Plan, quarantined: Iterable[str]) -> Change:
    """Take a plan's steps, but for those that wait until every process runs new code."""
    living = shop.register.living()
    now: list[Step] = []
    later: list[Step] = []
    for step in made.steps:
        manifest = shop.catalogue.manifests.get(step.addon)
        code = codes.current(manifest).fingerprint if manifest else ""
        (now if ready(living, step, code) else later).append(step)
    waiting = tuple(step.addon for step in later)
    if not now:
        return Change(_named(made), state.read_generation(), waiting=waiting)
    steps.take(shop, now)
    recording.taken(shop, made, now)
    assembly = steps.settle(shop, {*quarantined, *waiting})
    named = {name: code for name, code in assembly.code.items() if name in _named(made)}
    return Change(_named(made), assembly.generation, codes=named, waiting=waiting)


def apply_plan(shop: "Shop", plan_id: str, *, approve: bool = False) -> Change:
    """Do what a plan says, if it would still be the same.

    Raises:
        PlanDrift: it would not; nothing has changed.
    """
    verb, name, cascade = read_id(plan_id)
    return apply(shop, verb, name, cascade=cascade, expected=plan_id, approve=approve)


def enable(shop: "Shop", name: str) -> Change:
    """Enable an addon with whatever it depends on; install what is not yet."""
    return apply(shop, "enable", name)


def disable(shop: "Shop", name: str, *, cascade: bool = False) -> Change:
    """Disable an addon; its rows stay, its jobs are parked."""
    return apply(shop, "disable", name, cascade=cascade)


def _as_expected(made: Plan, expected: str | None) -> Plan:
    if expected is not None and made.id != expected:
        verb, name = made.verb, made.addon
        raise PlanDrift(
            f"the shop is no longer as it was when {expected} was made; "
            f"look at the new plan with 'bodega addons {verb} {name} --plan'"
        )
    return made


def _named(made: Plan) -> tuple[str, ...]:
    # An addon that is installed in order to be enabled is named once.
    return tuple(dict.fromkeys(step.addon for step in made.steps))


def _remove(shop: "Shop", verb: str, name: str, cascade: bool, expected: str | None) -> Change:
    """Disable, wait until every process has let go, archive, drop."""
    with schema_change(shop.databases.shop):
        planner = Planner(shop, cascade=cascade)
        made = _as_expected(planner.plan(verb, name), expected)
        disabling = [step for step in made.steps if step.verb == "disable"]
        begun = journal.begin(verb, name, planner.state.enabled)
        steps.take(shop, disabling)
        recording.taken(shop, made, disabling)
        generation = steps.settle(shop, planner.before.faults).generation
    try:
        removal.wait_until_drained(shop, generation)
        dropping = {
            step: removal.archive_for(shop, step) for step in made.steps if step.verb != "disable"
        }
        journal.note_archives(filter(None, dropping.values()))
        with schema_change(shop.databases.shop):
            journal.must_be_open(begun)
            for step, path in dropping.items():
                removal.remove(shop, step, path)
                recording.removed(shop, made, step, path)
            purged = [step.addon for step in dropping if step.verb == "purge"]
            journal.reach_cleaning(removal.files_of(shop, addon) for addon in purged)
            generation = steps.settle(shop, planner.before.faults).generation
    except BaseException:
        if journal.is_open(begun):
            journal.recover(shop)
        raise
    journal.recover(shop)
    return Change(_named(made), generation, tuple(map(str, filter(None, dropping.values()))))


def retry(shop: "Shop", name: str) -> Change:
    """Have every process try a quarantined addon again.

    Raises:
        AddonError: it is not quarantined, or it would be again.
    """
    with operator_lock(shop, f"retry {name}"), schema_change(shop.databases.shop):
        shop.catalogue = discover()
        made = Planner(shop)
        if name not in made.state.enabled:
            raise AddonError(f"addon {name!r} is not enabled; run 'bodega addons enable {name}'")
        if name in made.before.faults:
            raise AddonError(str(made.before.faults[name]))
        quarantine.forgive(name)
        shop.audit("addon.retried", f"addon:{name}")
        return Change((name,), steps.settle(shop, made.before.faults).generation)


def recover(shop: "Shop") -> bool:
    """Take back or finish what an operator that died left behind; True if there was anything.

    Raises:
        Busy: an operator is at work; what it left behind is its own.
    """
    if not journal.unfinished():
        return False
    with operator_lock(shop, "recover"):
        return journal.recover(shop)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back out of an archive.

    Args:
        rows: in the archive, by table.
        left_out: of these, rows that belong to what was deleted meanwhile, by table.
        missing: files that the addon kept and that are gone, or of another length.
    """

    rows: dict[str, int]
    left_out: dict[str, int]
    missing: list[str]


def restore(shop: "Shop", path: Path) -> Restored:
    """Put the rows and settings of an archive back into an addon that was installed again.

    Raises:
        AddonError: the addon is not installed, in another version, or keeps rows already.
    """
    found = archive.read_archive(path)
    database = shop.databases.shop
    with operator_lock(shop, f"restore {found.addon}"), schema_change(database):
        _refuse_other_migrations(database, found)
        tables = [entry.table for entry in found.tables]
        with orphans.left_out(database, tables) as gone:
            rows = archive.load_archive(database, path, found)
        for name, value in found.settings.items():
            SettingRow.insert(name=name, value=value).on_conflict(
                conflict_target=[SettingRow.name], update={SettingRow.value: value}
            ).execute()
        shop.catalogue = discover()
        shop.audit("addon.restored", f"addon:{found.addon}", archive=path.name, rows=rows)
        steps.settle(shop, shop.catalogue.manifests)
    return Restored(rows, gone, found.missing(removal.files_of(shop, found.addon)))


def _refuse_other_migrations(database: Any, found: archive.Archive) -> None:
    there = applied(database, found.addon)
    if not AddonRow.select().where(AddonRow.name == found.addon, AddonRow.installed).exists():
        raise AddonError(
            f"addon {found.addon!r} is not installed; run 'bodega addons install {found.addon}'"
        )
    if there != found.migrations:
        raise AddonError(
            f"the archive is of version {found.version}, whose tables differ from those of the "
            f"version that is installed; install {found.addon} {found.version}, restore, upgrade"
        )
