"""Making plans: which steps a verb takes, and what the shop would be after them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bodega import capabilities, state
from bodega.addons import codes, ledger, removal
from bodega.addons.claims import Claim
from bodega.addons.faults import Fault
from bodega.addons.graph import closure, dependents, ordered, resolve
from bodega.addons.loading import migrations_folder
from bodega.addons.plans import MIGRATING, Plan, Step, difference
from bodega.addons.scratch import Rehearsal, rehearse
from bodega.addons.steps import Refused, migration_fault
from bodega.assembly import Assembly, build
from bodega.database.migrating import MigrationFailed, pending
from bodega.database.tables import AddonRow
from bodega.errors import AddonError

if TYPE_CHECKING:
    from bodega.shop import Shop


class Planner:
    """Makes plans from the state of the shop as it is now.

    Args:
        cascade: whether addons that need the named one may be touched too.
    """

    def __init__(self, shop: "Shop", *, cascade: bool = False) -> None:
        self._shop = shop
        self._cascade = cascade
        self._manifests = shop.catalogue.manifests
        self.state = state.read_state()
        self.before: Assembly = state.assemble(shop.databases.shop, shop.catalogue, self.state)
        self._rows: dict[str, Any] = {
            row.name: row for row in AddonRow.select().where(AddonRow.installed)
        }

    def plan(self, verb: str, name: str) -> Plan:
        """Make the plan of a verb.

        Raises:
            AddonError: there is nothing to do it to, or other addons stand in the way.
            Refused: the addon cannot be used; carries its fault.
        """
        steps = self._verbs()[verb](name)
        after = self._after(steps)
        steps = self._with_statements(steps)
        added, removed = difference(self.before, after, self._upgraded(steps))
        uses = capabilities.of_steps(steps, self._manifests)
        return Plan(
            verb,
            name,
            self._cascade,
            self.state.generation,
            tuple(steps),
            added,
            removed,
            tuple(dict.fromkeys(step.addon for step in steps if step.addon != name)),
            removal.extents(self._shop, steps),
            uses,
            capabilities.new_in(uses, self._rows),
        )

    def _upgraded(self, steps: list[Step]) -> dict[str, list[Claim]]:
        """Return what the addons own that an upgrade makes whole again, by addon."""
        upgraded = {step.addon for step in steps if step.verb == "upgrade"}
        found: dict[str, list[Claim]] = {name: [] for name in upgraded & self.before.faults.keys()}
        for claim, owner in ledger.everything().items():
            if owner in found:
                found[owner].append(claim)
        return found

    def _verbs(self) -> dict[str, Callable[[str], list[Step]]]:
        return {
            "install": self._install,
            "enable": self._enable,
            "disable": self._disable,
            "upgrade": self._upgrade,
            "uninstall": lambda name: self._remove("uninstall", name),
            "purge": lambda name: self._remove("purge", name),
        }

    # The verbs.

    def _install(self, name: str) -> list[Step]:
        self._must_be_known(name)
        if name in self._rows:
            version = self._rows[name].version
            raise AddonError(f"addon {name!r} is installed already, in version {version}")
        return self._installing(self._order(name))

    def _installing(self, names: Iterable[str]) -> list[Step]:
        return [self._step("install", name) for name in names if name not in self._rows]

    def _enable(self, name: str) -> list[Step]:
        self._must_be_known(name)
        if name in self.before.faults:
            raise Refused(self.before.faults[name])
        missing = [item for item in self._order(name) if item not in self.state.enabled]
        steps = self._installing(missing)
        return steps + [self._step("enable", item) for item in missing]

    def _disable(self, name: str) -> list[Step]:
        enabled = self.state.enabled
        if name not in enabled:
            listed = ", ".join(enabled) or "none"
            raise AddonError(f"addon {name!r} is not enabled; enabled are: {listed}")
        needing = dependents(name, enabled, self._manifests)
        self._refuse_needed(name, needing, "disable")
        return [self._step("disable", item) for item in (*needing, name)]

    def _upgrade(self, name: str) -> list[Step]:
        self._must_be_known(name)
        row = self._rows.get(name)
        if row is None:
            raise AddonError(f"addon {name!r} is not installed; run 'bodega addons install {name}'")
        version = self._version(name)
        waiting = self._pending(name)
        fresh = row.version == version and row.code in ("", self._fingerprint(name))
        fresh = fresh and not capabilities.new_in(
            {name: capabilities.asked(self._manifests[name])}, self._rows
        )  # fmt: skip
        if fresh and not waiting:
            raise AddonError(f"addon {name!r} is up to date, in version {version}")
        early = codes.expanding(waiting)
        steps = [] if fresh and not early and waiting else [self._step("upgrade", name)]
        return steps + [self._step("contract", name)] * (len(early) < len(waiting))

    def _remove(self, verb: str, name: str) -> list[Step]:
        if name not in self._rows:
            listed = ", ".join(sorted(self._rows)) or "none"
            raise AddonError(f"addon {name!r} is not installed; installed are: {listed}")
        needing = dependents(name, self._rows, self._manifests)
        self._refuse_needed(name, needing, verb)
        gone = (*needing, name)
        steps = [self._step("disable", item) for item in gone if item in self.state.enabled]
        return steps + [self._step(verb, item) for item in gone]

    # What they need.

    def _step(self, verb: str, name: str) -> Step:
        return Step(verb, name, self._version(name))

    def _version(self, name: str) -> str:
        manifest = self._manifests.get(name)
        return manifest.version if manifest else ""

    def _fingerprint(self, name: str) -> str:
        return codes.current(self._manifests[name]).fingerprint

    def _pending(self, name: str) -> list[str]:
        folder = migrations_folder(self._manifests[name])
        return pending(self._shop.databases.shop, name, folder) if folder else []

    def _must_be_known(self, name: str) -> None:
        if name in self._shop.catalogue.faults:
            raise Refused(self._shop.catalogue.faults[name])
        if name not in self._manifests:
            known = ", ".join(sorted(self._manifests)) or "none"
            raise AddonError(
                f"there is no addon {name!r} on this machine; installed packages bring: {known}. "
                "Install its package with pip first"
            )

    def _order(self, name: str) -> list[str]:
        """Return the addon, what it needs and the bridges that follow, in dependency order."""
        manifests, faults = self._manifests, self._shop.catalogue.faults
        known = manifests.keys() | faults.keys() | set(self.state.enabled)
        wanted = (closure([name], manifests) & known) | set(self.state.enabled)
        wanted |= self._bridges(wanted)
        order = resolve(wanted, manifests, faults)
        if name in order.faults:
            raise Refused(order.faults[name])
        return [item for item in order.names if item in wanted]

    def _bridges(self, wanted: set[str]) -> set[str]:
        """Return addons that ask to be enabled with others, now that all of these are wanted.

        One that an operator has disabled stays so.
        """
        return {
            name
            for name, manifest in self._manifests.items()
            if manifest.auto_enable_with
            and name not in self._rows
            and set(manifest.auto_enable_with) <= wanted
            and {item.name for item in manifest.dependencies} <= wanted
        }

    def _refuse_needed(self, name: str, needing: list[str], verb: str) -> None:
        if needing and not self._cascade:
            raise AddonError(
                f"{', '.join(needing)} cannot do without {name}; {verb} "
                f"{'it' if len(needing) == 1 else 'them'} first, or add --cascade"
            )

    def _with_statements(self, steps: list[Step]) -> list[Step]:
        planned: dict[str, Rehearsal] = {}
        migrating = {step.addon for step in steps if step.verb in MIGRATING}
        if migrating:
            # What else is installed may conflict or be broken; it has no say here.
            names = ordered(closure(migrating, self._manifests), self._manifests)
            try:
                planned = rehearse(self._shop, names, self._manifests)
            except MigrationFailed as error:
                raise Refused(migration_fault(error)) from error
        return [
            replace(step, statements=self._statements(step, planned.get(step.addon, Rehearsal())))
            for step in steps
        ]

    def _statements(self, step: Step, planned: Rehearsal) -> tuple[str, ...]:
        if step.verb == "install":
            return planned.expand + planned.contract
        if step.verb in MIGRATING:
            return planned.expand if step.verb == "upgrade" else planned.contract
        if step.verb in ("uninstall", "purge"):
            return removal.drop_statements(self._shop.databases.shop, step.addon)
        return ()

    def _after(self, steps: list[Step]) -> Assembly:
        """Return the Assembly that the steps would make.

        Raises:
            Refused: an addon would be quarantined that is not now, or a name is taken.
        """
        enabled = set(self.state.enabled)
        enabled |= {step.addon for step in steps if step.verb == "enable"}
        enabled -= {step.addon for step in steps if step.verb == "disable"}
        migrated = {step.addon for step in steps if step.verb in MIGRATING}
        # Installing makes tables: it is refused what enabling would be refused.
        self._build(enabled | closure(migrated, self._manifests), migrated, check=True)
        return self._build(enabled, migrated)

    def _build(self, enabled: set[str], migrated: set[str], *, check: bool = False) -> Assembly:
        catalogue, generation = self._shop.catalogue, self.state.generation
        late = state.pending_faults(self._shop.databases.shop, catalogue, enabled - migrated)
        owned = ledger.everything()
        after = build(catalogue, enabled, generation, self.state.settings, late, owned=owned)
        if check:
            for name in sorted(after.faults.keys() - (self.before.faults.keys() - migrated)):
                raise Refused(after.faults[name])
            self._refuse_taken(after, owned)
        return after

    def _refuse_taken(self, after: Assembly, owned: Mapping[Claim, str]) -> None:
        """Refuse a newcomer that claims what a disabled addon owns."""
        before = {addon.name for addon in self.before.addons}
        for addon in after.addons:
            found = None if addon.name in before else ledger.taken(addon, owned)
            if found is not None:
                claim, owner = found
                reason = f"{claim} belongs to {owner} already"
                remedy = f"Uninstall {owner}, or do without {addon.name}"
                raise Refused(Fault(addon.name, addon.name, reason, remedy))
