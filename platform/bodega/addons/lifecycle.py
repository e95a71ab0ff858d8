"""Enabling and disabling addons on a running shop, and a shop's first start."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bodega import state
from bodega.addons.discovery import discover
from bodega.addons.faults import Fault
from bodega.addons.graph import closure, dependents, resolve
from bodega.addons.loading import migrations_folder
from bodega.assembly import Assembly
from bodega.database.migrating import KERNEL_MIGRATIONS, migrate, pending, schema_change
from bodega.database.tables import AddonRow
from bodega.editions import Edition, read_edition
from bodega.errors import AddonError
from bodega.jobs import leases
from bodega.processes import Process
from bodega.security.keys import load_keys, make_key
from bodega.shop import Session
from bodega_sdk.hookspecs import FirstStart
from bodega_sdk.manifest import Manifest
from bodega_sdk.models import now
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.shop import Shop


@dataclass(frozen=True, slots=True)
class Change:
    """What a verb did.

    Args:
        addons: those it enabled or disabled, in order.
        generation: of the Assembly that shows it.
    """

    addons: tuple[str, ...]
    generation: int


class _Refused(Exception):
    """Carries a fault out of a transaction that must not be committed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def enable(shop: "Shop", name: str) -> Change:
    """Enable an addon with whatever it depends on; install what is not yet.

    Raises:
        AddonError: it cannot be; nothing has changed, and ``addons list`` tells why.
    """
    shop.catalogue = discover()
    _known(shop, name)
    try:
        with schema_change(shop.databases.shop):
            return _enable(shop, name)
    except _Refused as refused:
        _remember(shop, name, refused.fault)
        raise AddonError(str(refused.fault)) from refused.__cause__


def _enable(shop: "Shop", name: str) -> Change:
    manifests = shop.catalogue.manifests
    enabled = set(state.read_state().enabled)
    wanted = enabled | closure([name], manifests)
    order = resolve(wanted, manifests, shop.catalogue.faults)
    if name in order.faults:
        raise _Refused(order.faults[name])
    added = tuple(item for item in order.names if item not in enabled)
    for item in added:
        _install(shop, manifests[item])
    return Change(added, _settle(shop, added).generation)


def _install(shop: "Shop", manifest: Manifest) -> None:
    """Run an addon's migrations and write it down as enabled."""
    folder = migrations_folder(manifest)
    if folder is not None:
        migrate(shop.databases.shop, manifest.name, folder)
    row = {"version": manifest.version, "enabled": True, "fault": None}
    AddonRow.insert(name=manifest.name, **row).on_conflict(
        conflict_target=[AddonRow.name], update=row
    ).execute()


def _settle(shop: "Shop", added: Iterable[str] = ()) -> Assembly:
    """Raise the generation, check the Assembly it makes, and park or resume jobs."""
    generation = state.raise_generation()
    assembly = state.assemble(shop.databases.shop, shop.catalogue, state.read_state())
    for name in added:
        if name in assembly.faults:
            raise _Refused(assembly.faults[name])
    assert assembly.generation == generation
    leases.park_and_resume(list(assembly.jobs))
    return assembly


def _known(shop: "Shop", name: str) -> None:
    if name in shop.catalogue.manifests or name in shop.catalogue.faults:
        return
    known = ", ".join(sorted(shop.catalogue.manifests)) or "none"
    raise AddonError(
        f"there is no addon {name!r} on this machine; installed packages bring: {known}. "
        "Install its package with pip first"
    )


def _remember(shop: "Shop", name: str, fault: Fault) -> None:
    manifest = shop.catalogue.manifests.get(name)
    told = {"culprit": fault.culprit, "reason": fault.reason, "remedy": fault.remedy}
    AddonRow.insert(
        name=name, version=manifest.version if manifest else "?", enabled=False, fault=told
    ).on_conflict(conflict_target=[AddonRow.name], update={"fault": told}).execute()


def disable(shop: "Shop", name: str, *, cascade: bool = False) -> Change:
    """Disable an addon; its rows stay, its jobs are parked.

    Args:
        cascade: disable the addons that need it too, the outermost first.

    Raises:
        AddonError: it is not enabled, or others need it.
    """
    shop.catalogue = discover()
    with schema_change(shop.databases.shop):
        enabled = state.read_state().enabled
        if name not in enabled:
            listed = ", ".join(enabled) or "none"
            raise AddonError(f"addon {name!r} is not enabled; enabled are: {listed}")
        needing = dependents(name, enabled, shop.catalogue.manifests)
        if needing and not cascade:
            raise AddonError(
                f"{', '.join(needing)} cannot do without {name}; disable "
                f"{'it' if len(needing) == 1 else 'them'} first, or add --cascade"
            )
        gone = (*needing, name)
        AddonRow.update(enabled=False, fault=None).where(AddonRow.name.in_(gone)).execute()
        return Change(gone, _settle(shop).generation)


def wait_for(
    shop: "Shop", generation: int, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> list[Process]:
    """Wait until every living process serves a generation; return the laggards."""
    deadline = time.monotonic() + timeout
    while True:
        lagging = [item for item in shop.register.living() if item.generation < generation]
        if not lagging or time.monotonic() > deadline:
            return lagging
        sleep(0.05)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What preparing a shop did.

    Args:
        first: whether the shop was started for the first time.
        migrations: names of the migrations that ran, with their owner.
        lines: what the addons want to tell the operator.
    """

    first: bool
    migrations: tuple[str, ...]
    lines: tuple[str, ...]


def is_prepared(shop: "Shop") -> bool:
    """Whether the shop was started before and the kernel's tables are up to date."""
    database = shop.databases.shop
    return not pending(database, "bodega", KERNEL_MIGRATIONS) and state.read_generation() > 0


def prepare(shop: "Shop", edition: Edition | None = None) -> Preparation:
    """Migrate everything that is enabled; make a new shop if there is none.

    All of it happens in one transaction, under the lock of schema changes, so that of
    several processes starting at once one does it and the others find it done.

    Raises:
        AddonError: a migration failed; nothing has changed.
    """
    shop.catalogue = discover()
    shop.register.create()
    with schema_change(shop.databases.shop):
        done = [f"bodega {m}" for m in migrate(shop.databases.shop, "bodega", KERNEL_MIGRATIONS)]
        first = state.read_generation() == 0
        lines = _first_start(shop, edition or read_edition(shop.settings.edition)) if first else []
        if not first:
            done += _migrate_enabled(shop)
    return Preparation(first, tuple(done), tuple(lines))


def _migrate_enabled(shop: "Shop") -> list[str]:
    done: list[str] = []
    manifests = shop.catalogue.manifests
    for name in resolve(state.read_state().enabled, manifests, shop.catalogue.faults).names:
        folder = migrations_folder(manifests[name])
        ran = migrate(shop.databases.shop, name, folder) if folder else []
        AddonRow.update(version=manifests[name].version).where(AddonRow.name == name).execute()
        done += [f"{name} {migration}" for migration in ran]
    if done:
        state.raise_generation()
    return done


def _first_start(shop: "Shop", edition: Edition) -> list[str]:
    """Make a new shop: its key, its addons, and what these want to begin with."""
    secret = shop.settings.key()
    if load_keys(secret) is None:
        make_key(secret)
    state.shop_id()
    order = resolve(edition.addons, shop.catalogue.manifests, shop.catalogue.faults)
    for name in order.names:
        _install(shop, shop.catalogue.manifests[name])
    for name in order.faults:
        AddonRow.create(name=name, version="?", enabled=True, installed_at=now())
    start = FirstStart(shop.settings.admin_email, shop.settings.admin_password or None)
    session = Session(shop, _settle(shop))
    with bound(session), shop.transaction():
        for addon in session.assembly.addons:
            if addon.first_start is not None:
                addon.first_start(start)
    return start.lines
